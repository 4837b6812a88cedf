package stage

import (
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
)

// Start is the model that a stage goes on from.
type Start struct {
	Model, Adapter string // as model.Locate takes them
	// As turns the model's configuration into that of what is trained; nil: it stays.
	As func(model.Config) model.Config
}

// Dirs returns the directories that determine what the model computes.
func (s Start) Dirs() ([]string, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	return at.Dirs(), err
}

// Tokenizer loads the model's tokenizer.
func (s Start) Tokenizer() (*tokenizer.Tokenizer, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return nil, err
	}
	return tokenizer.Load(at.Tokenizer())
}

// Params loads the model to be trained as the task's settings say: all of it, or an
// adapter beside it.
func (s Start) Params(t *train.Task) (*model.Params, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return nil, err
	}
	c, err := at.Config()
	if err != nil {
		return nil, err
	}
	if s.As != nil {
		c = s.As(c)
	}
	if t.Settings.LoRA.IsZero() {
		return at.LoadAs(c, true)
	}
	return at.LoadAdapted(c, t.Settings.LoRA, t.Settings.Seed)
}

// From is the source of a stage that goes on from s.
func From(s Start, examples func(*train.Task) ([]pack.Example, error)) Source {
	return Source{Tokenizer: s.Tokenizer, Examples: examples, Params: s.Params}
}
