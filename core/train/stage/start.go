package stage

import (
	"cmp"
	"fmt"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
)

// Start is the model that a stage starts from.
type Start struct {
	Model, Adapter string // directories, as model.Locate takes them
	Template       string // name of a chat template in place of the model's; see template.Choose
	Chats          bool   // whether the stage teaches answers to chats, and so where these end
	// As turns the model's configuration into the one to train; nil: unchanged.
	As func(model.Config) model.Config
}

// Dirs returns the directories whose content determines what the model computes.
func (s Start) Dirs() ([]string, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	return at.Dirs(), err
}

// Tokenizer loads the model's tokenizer, with the chat template to train with.
func (s Start) Tokenizer() (*tokenizer.Tokenizer, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return nil, err
	}
	return template.LoadOver(at.Model, at.Tokenizer(), s.Template)
}

// Params loads the model for training: all of its weights, or an adapter beside them, as the
// task's settings say. If it trains on chats, the model also stops at the tokens with which its
// chat template ends an answer, in all programs.
func (s Start) Params(t *train.Task) (*model.Params, error) {
	p, err := s.load(t.Settings)
	if err != nil || !s.Chats || p.Config.IsReward() {
		return p, err
	}
	format, err := template.New(t.Tokenizer)
	if err != nil {
		return nil, err
	}
	return p, p.Config.StopAt(format.Stop()...)
}

// load loads the model in the shape that the settings ask for.
func (s Start) load(t train.Settings) (*model.Params, error) {
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
	} else if c.IsReward() {
		return nil, fmt.Errorf("%s is a reward model: it scores answers and cannot write them", cmp.Or(at.Adapter, at.Model))
	}
	if t.LoRA.IsZero() {
		return at.LoadAs(c, true)
	}
	return at.LoadAdapted(c, t.LoRA, t.Seed)
}

// From returns the source of a stage that starts from s.
func From(s Start, examples func(*train.Task) ([]pack.Example, pack.Count, error)) Source {
	return Source{Tokenizer: s.Tokenizer, Examples: examples, Params: s.Params}
}
