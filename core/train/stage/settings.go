// Package stage holds what the stages that train have in common: checks of their settings, and
// the steps from there to the training loop. Each stage adds its own examples and loss.
//
// Start with Train and From.
package stage

import (
	"cmp"
	"fmt"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
)

// Settings are the settings of a stage.
type Settings interface {
	Validate() error
	Manifest() (run.Manifest, error)
}

// Tuning holds the common settings of the stages that start from a trained model.
type Tuning struct {
	Model   string `yaml:"model" path:"model"`                       // model directory to start from
	Adapter string `yaml:"adapter" json:",omitempty" path:"adapter"` // adapter directory to continue from; empty: none, or the model's
	Out     string `yaml:"out" path:"out"`                           // directory to write the model to

	// Template follows the rule of template.Choose.
	Template string `yaml:"template" json:",omitempty"` // name of a chat template to use instead of the model's own; the new model keeps it
	// AllowDropped is template.Format.AllowDropped.
	AllowDropped bool `yaml:"allow_dropped" json:",omitempty"` // train on chats of which the template leaves out text, without that text; false: refuse them
	// Reasoning is that of template.Format.WithReasoning.
	Reasoning template.Reasoning `yaml:"reasoning" json:",omitempty"` // chats that the template does not print as a reasoning model writes them: learn (each turn by itself) or mask (learn no reasoning); empty: refuse them

	pack.Limit     `yaml:",inline"`
	train.Settings `yaml:",inline"`
}

// Defaults returns the default settings of such stages.
func Defaults() Tuning {
	t := Tuning{Limit: pack.Limit{MaxTokens: 2048, TooLong: pack.Refuse}, Settings: train.Defaults()}
	t.LearningRate, t.WeightDecay = 1e-5, 0
	return t
}

// Validate returns an error for the first invalid setting.
func (t Tuning) Validate() error {
	return cmp.Or(NeedModel(t.Model, t.Adapter), NeedOut(t.Out), template.CheckName(t.Template), t.layout(), t.Limit.Validate(), t.Settings.Validate())
}

func (t Tuning) layout() error {
	if t.AllowDropped && t.Reasoning != template.RefuseReasoning {
		return fmt.Errorf("allow_dropped is true and reasoning is %s: the one leaves out reasoning, and the other keeps it", t.Reasoning)
	}
	return t.Reasoning.Validate()
}

// Format returns the layout of the chats to train on.
func (t Tuning) Format(tok *tokenizer.Tokenizer) (*template.Format, error) {
	format, err := template.New(tok)
	if err != nil {
		return nil, err
	}
	if format = format.WithReasoning(t.Reasoning); t.AllowDropped {
		format = format.AllowDropped()
	}
	return format, nil
}

// Start returns the model to continue from.
func (t Tuning) Start() Start {
	return Start{Model: t.Model, Adapter: t.Adapter, Template: t.Template, Chats: true}
}

// Check returns the first problem that is not nil, prefixed with the stage's name.
func Check(stage string, problems ...error) error {
	if first := cmp.Or(problems...); first != nil {
		return fmt.Errorf("%s: %w", stage, first)
	}
	return nil
}

// NeedModel returns an error if neither the model to start from is set nor an adapter, which
// names its model.
func NeedModel(dir, adapter string) error {
	return need(dir != "" || adapter != "", "model", "the model directory to start from")
}

// NeedTables returns an error if paths is empty; setting names what the tables hold.
func NeedTables(setting string, paths []string) error {
	return need(len(paths) > 0, setting, "the tables of "+setting+" to learn from")
}

// NeedOut returns an error if the directory to write is not set.
func NeedOut(dir string) error { return need(dir != "", "out", "the model directory to write") }

func need(given bool, setting, what string) error {
	if given {
		return nil
	}
	return fmt.Errorf("%s is not set: %s", setting, what)
}
