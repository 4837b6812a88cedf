package model

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Source is the location of a model: its directory, and that of an adapter or "".
type Source struct{ Model, Adapter string }

// Locate returns the location of the model that the user names: a model directory, or the
// directory of an adapter, which names its base. A second argument adds an adapter to the
// model. The model may then be empty: the adapter names it.
func Locate(dir, adapter string) (Source, error) {
	switch {
	case adapter != "" && !IsAdapter(adapter):
		return Source{}, fmt.Errorf("model: %s is not an adapter: it has no %s, or it holds a whole model", adapter, AdapterConfig)
	case adapter != "" && dir != "" && IsAdapter(dir):
		return Source{}, fmt.Errorf("model: %s is an adapter itself, so it cannot take the adapter %s", dir, adapter)
	case adapter != "" && dir != "":
		return Source{dir, adapter}, nil
	case adapter == "" && !IsAdapter(dir):
		return Source{dir, ""}, nil
	case adapter == "":
		adapter = dir
	}
	c, err := readPEFT(adapter)
	if err != nil {
		return Source{}, err
	}
	for _, base := range []string{c.Base, filepath.Join(filepath.Dir(filepath.Clean(adapter)), filepath.Base(c.Base))} {
		if _, err := os.Stat(filepath.Join(base, ConfigFile)); c.Base != "" && err == nil {
			return Source{base, adapter}, nil
		}
	}
	return Source{}, &NoBase{Adapter: adapter, Base: c.Base}
}

// NoBase reports that the base model of an adapter is not where the adapter says.
type NoBase struct{ Adapter, Base string }

func (e *NoBase) Error() string {
	return fmt.Sprintf("model: the base model %q of the adapter %s is not here: set model to its directory and adapter to %s", e.Base, e.Adapter, e.Adapter)
}

// OtherAdapter reports that an adapter has another shape than the one to be trained.
type OtherAdapter struct {
	Adapter    string // directory
	Have, Want LoRA
}

func (e *OtherAdapter) Error() string {
	have, want := e.Have, e.Want
	return fmt.Sprintf("model: the adapter %s has r %d, scale %g, dora %t and target_modules %v, lora asks for %d, %g, %t and %v: use the same values, or merge the adapter into the model first",
		e.Adapter, have.R, have.scale(), have.DoRA, have.TargetModules, want.R, want.scale(), want.DoRA, want.TargetModules)
}

// Dirs returns the directories that determine what the model computes.
func (s Source) Dirs() []string {
	if s.Adapter == "" {
		return []string{s.Model}
	}
	return []string{s.Model, s.Adapter}
}

// Tokenizer returns the directory of the model's tokenizer: the adapter's, if that has one.
func (s Source) Tokenizer() string {
	if found, _ := filepath.Glob(filepath.Join(s.Adapter, "tokenizer*")); s.Adapter != "" && len(found) > 0 {
		return s.Adapter
	}
	return s.Model
}

// Config reads the configuration of the model. A reward adapter makes it a reward model.
func (s Source) Config() (Config, error) {
	c, err := loadConfig(s.Model)
	if err != nil || s.Adapter == "" {
		return c, err
	}
	p, err := readPEFT(s.Adapter)
	if err != nil {
		return c, err
	}
	if p.TaskType == rewardTask {
		return c.Reward(), nil
	}
	if err := c.readStops(s.Adapter); err != nil {
		return c, fmt.Errorf("model: %w", err)
	}
	return c, nil
}

// Load reads the model and merges the adapter into its weights.
func (s Source) Load(gradients bool) (*Params, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	return s.LoadAs(c, gradients)
}

// LoadReward is Load for a reward model. A model without a value head gets a new one of zeros
// in place of its language-model head.
func (s Source) LoadReward(gradients bool) (*Params, error) {
	c, err := s.Config()
	if err != nil {
		return nil, err
	}
	return s.LoadAs(c.Reward(), gradients)
}

// LoadAs is Load into a model of configuration c.
func (s Source) LoadAs(c Config, gradients bool) (*Params, error) {
	p, err := s.loadBase(c, gradients)
	if err != nil || s.Adapter == "" {
		return p, err
	}
	trained := p.G
	if err := s.attach(p, false); err != nil {
		return nil, err
	}
	p.Merge()
	p.thaw(trained)
	return p, nil
}

// LoadAdapted reads the model frozen, with an adapter of shape l beside it for training: the
// existing one, or a new one drawn from the seed.
func (s Source) LoadAdapted(c Config, l LoRA, seed uint64) (*Params, error) {
	if err := memory.Check("the weights and the adapter with what trains it", c.frozenBytes(l.BaseDType)+16*int64(c.AdapterCount(l))); err != nil {
		return nil, fmt.Errorf("model: %s: %w", s.Model, err)
	}
	p, err := s.loadFrozen(c, l.BaseDType)
	if err != nil {
		return nil, err
	}
	if s.Adapter == "" {
		a := p.Adapt(l, true)
		a.Base = s.Model
		a.Init(p, seed)
		return p, nil
	}
	if err := s.attach(p, true); err != nil {
		return nil, err
	}
	if have := p.Adapter.LoRA; !have.fits(l) {
		return nil, &OtherAdapter{Adapter: s.Adapter, Have: have, Want: l}
	}
	p.Adapter.LoRA.Dropout, p.Adapter.LoRA.BaseDType = l.Dropout, l.BaseDType
	return p, nil
}

// LoRA returns the shape of the adapter.
func (s Source) LoRA() (LoRA, error) {
	c, err := readPEFT(s.Adapter)
	if err != nil {
		return LoRA{}, err
	}
	f, err := checkpoint.Open(filepath.Join(s.Adapter, AdapterWeights))
	if err != nil {
		return LoRA{}, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	l := c.lora(f.Names())
	if err := cmp.Or(l.Validate(), ranked(f, l.R)); err != nil {
		return l, fmt.Errorf("model: %s: %w", s.Adapter, err)
	}
	return l, nil
}

// ranked returns an error if f has a term of another rank than r. It runs before memory for
// the term is allocated.
func ranked(f *checkpoint.File, r int) error {
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		if strings.HasSuffix(name, "lora_A.weight") && (len(info.Shape) != 2 || info.Shape[0] != r) {
			return fmt.Errorf("tensor %s has shape %v, %s says r %d", name, info.Shape, AdapterConfig, r)
		}
	}
	return nil
}

func (s Source) loadBase(c Config, gradients bool) (*Params, error) {
	f, err := openWeights(s.Model, c)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := memory.Check("the weights", c.TrainingBytes(gradients)); err != nil {
		return nil, fmt.Errorf("model: %s: %w", s.Model, err)
	}
	p := NewParams(c, gradients)
	return p, p.read(f, read)
}

// attach puts the adapter beside p.
func (s Source) attach(p *Params, gradients bool) error {
	l, err := s.LoRA()
	if err != nil {
		return err
	}
	a := p.Adapt(l, gradients)
	a.Base = s.Model
	a.Init(p, 0) // if the adapter has no value head, the base's stays
	return a.ReadFrom(s.Adapter)
}
