package recipes

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/dpo"
	"github.com/herd-lm/herd/pretrain"
	"github.com/herd-lm/herd/rejection"
	"github.com/herd-lm/herd/reward"
	"github.com/herd-lm/herd/sft"
)

// Stage is an entry of a recipe: a name, and the settings of one kind of stage
// under its name: "sft: {...}".
type Stage struct {
	Name      string              `yaml:"name"`
	Pretrain  *pretrain.Settings  `yaml:"pretrain"`
	SFT       *sft.Settings       `yaml:"sft"`
	Reward    *reward.Settings    `yaml:"reward"`
	Rejection *rejection.Settings `yaml:"rejection"`
	DPO       *dpo.Settings       `yaml:"dpo"`
}

// UnmarshalYAML starts the settings from the defaults of the stage's kind.
func (s *Stage) UnmarshalYAML(unmarshal func(any) error) error {
	keys := make(map[string]any)
	if err := unmarshal(&keys); err != nil {
		return err
	}
	full := entry{Pretrain: pretrain.Defaults(), SFT: sft.Defaults(), Reward: reward.Defaults(), Rejection: rejection.Defaults(), DPO: dpo.Defaults()}
	if err := unmarshal(&full); err != nil {
		return err
	}
	*s = Stage{Name: full.Name}
	for kind, take := range map[string]func(){
		"pretrain":  func() { s.Pretrain = &full.Pretrain },
		"sft":       func() { s.SFT = &full.SFT },
		"reward":    func() { s.Reward = &full.Reward },
		"rejection": func() { s.Rejection = &full.Rejection },
		"dpo":       func() { s.DPO = &full.DPO },
	} {
		if _, ok := keys[kind]; ok {
			take()
		}
	}
	if len(keys) != 2 || s.settings() == nil {
		return fmt.Errorf("stage %q: expected a name and one of pretrain, sft, reward, rejection or dpo", s.Name)
	}
	return nil
}

// entry is Stage as YAML has it.
type entry struct {
	Name      string             `yaml:"name"`
	Pretrain  pretrain.Settings  `yaml:"pretrain"`
	SFT       sft.Settings       `yaml:"sft"`
	Reward    reward.Settings    `yaml:"reward"`
	Rejection rejection.Settings `yaml:"rejection"`
	DPO       dpo.Settings       `yaml:"dpo"`
}

// MarshalYAML writes what UnmarshalYAML reads.
func (s Stage) MarshalYAML() (any, error) {
	return map[string]any{"name": s.Name, s.kind(): s.settings()}, nil
}

// job is what the engine asks of any stage's settings.
type job interface {
	Validate() error
	Manifest() (run.Manifest, error)
}

func (s *Stage) kind() string {
	switch {
	case s.Pretrain != nil:
		return "pretrain"
	case s.SFT != nil:
		return "sft"
	case s.Reward != nil:
		return "reward"
	case s.Rejection != nil:
		return "rejection"
	case s.DPO != nil:
		return "dpo"
	}
	return ""
}

// settings returns a pointer to the settings of the stage's kind, or nil.
func (s *Stage) settings() job {
	switch s.kind() {
	case "pretrain":
		return s.Pretrain
	case "sft":
		return s.SFT
	case "reward":
		return s.Reward
	case "rejection":
		return s.Rejection
	case "dpo":
		return s.DPO
	}
	return nil
}

// paths are the fields that name files.
type paths struct {
	out    *string
	models []*string
	tables *[]string
	seed   *uint64
}

func (s *Stage) paths() paths {
	switch s.kind() {
	case "pretrain":
		return paths{&s.Pretrain.Out, []*string{&s.Pretrain.Model, &s.Pretrain.Adapter, &s.Pretrain.Tokenizer}, &s.Pretrain.Documents, &s.Pretrain.Seed}
	case "sft":
		return paths{&s.SFT.Out, []*string{&s.SFT.Model, &s.SFT.Adapter}, &s.SFT.Chats, &s.SFT.Seed}
	case "reward":
		return paths{&s.Reward.Out, []*string{&s.Reward.Model, &s.Reward.Adapter}, &s.Reward.Preferences, &s.Reward.Seed}
	case "rejection":
		return paths{&s.Rejection.Out, []*string{&s.Rejection.Model, &s.Rejection.Adapter, &s.Rejection.Reward}, &s.Rejection.Prompts, &s.Rejection.Seed}
	default:
		return paths{&s.DPO.Out, []*string{&s.DPO.Model, &s.DPO.Adapter, &s.DPO.Reference}, &s.DPO.Preferences, &s.DPO.Seed}
	}
}

// resolve returns the stage with its paths in the run directory: a path whose
// first part is the name of an earlier stage, or "data", means what that wrote.
// Other paths are as they are. A seed of 0 becomes the recipe's.
func (r *Recipe) resolve(i int, dir string) Stage {
	s := r.Stages[i].clone()
	inRun := func(path string) string {
		first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		earlier := slices.ContainsFunc(r.Stages[:i], func(e Stage) bool { return e.Name == first })
		if earlier || first == dataDir {
			return filepath.Join(dir, path)
		}
		return path
	}
	p := s.paths()
	*p.out = filepath.Join(dir, s.Name)
	for _, m := range p.models {
		*m = inRun(*m)
	}
	*p.tables = slices.Clone(*p.tables)
	for k, t := range *p.tables {
		(*p.tables)[k] = inRun(t)
	}
	if *p.seed == 0 {
		*p.seed = r.Seed
	}
	return s
}

// clone returns a stage whose settings can be changed without changing s.
func (s Stage) clone() Stage {
	switch s.kind() {
	case "pretrain":
		c := *s.Pretrain
		s.Pretrain = &c
	case "sft":
		c := *s.SFT
		s.SFT = &c
	case "reward":
		c := *s.Reward
		s.Reward = &c
	case "rejection":
		c := *s.Rejection
		s.Rejection = &c
	case "dpo":
		c := *s.DPO
		s.DPO = &c
	}
	return s
}

// run runs the stage; what it is given by report depends on its kind.
func (s *Stage) run(ctx context.Context, o train.Options, report func(Event)) error {
	o.Announce = func(p train.Plan) { report(Event{Plan: &p}) }
	o.Report = func(p train.Progress) { report(Event{Training: &p}) }
	switch s.kind() {
	case "pretrain":
		return pretrain.Run(ctx, *s.Pretrain, o)
	case "sft":
		return sft.Run(ctx, *s.SFT, o)
	case "reward":
		return reward.Run(ctx, *s.Reward, o)
	case "dpo":
		return dpo.Run(ctx, *s.DPO, o)
	}
	return rejection.Run(ctx, *s.Rejection, rejection.Options{Mode: o.Mode, Report: func(p rejection.Progress) {
		report(Event{Sampling: &p})
	}})
}

// resumable reports whether the stage's directory holds an unfinished run of
// just these settings and inputs, or samples that rejection would draw again.
func (s *Stage) resumable(m run.Manifest) bool {
	dir := *s.paths().out
	if s.kind() == "rejection" {
		return rejection.Resumable(dir, *s.Rejection, m)
	}
	return train.Resumable(dir, m.Digest)
}
