// Package stage is what the stages that train have in common: how their settings
// are checked, and the way from there to the training loop. What a stage learns
// from and by which loss is its own.
package stage

import (
	"cmp"
	"fmt"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
)

// Settings are those of a stage.
type Settings interface {
	Validate() error
	Manifest() (run.Manifest, error)
}

// Tuning are the settings of a stage that continues from a model.
type Tuning struct {
	Model   string `yaml:"model" path:"model"`                       // model directory to start from
	Adapter string `yaml:"adapter" json:",omitempty" path:"adapter"` // adapter directory to continue from; empty: none, or the model's
	Out     string `yaml:"out" path:"out"`                           // model directory to write

	// Template is the name of a chat template in place of the model's own (template.Choose
	// has the rule). The model that is written keeps it.
	Template string `yaml:"template" json:",omitempty"`

	pack.Limit     `yaml:",inline"`
	train.Settings `yaml:",inline"`
}

// Defaults returns the settings that such stages start from.
func Defaults() Tuning {
	t := Tuning{Limit: pack.Limit{MaxTokens: 2048, TooLong: pack.Refuse}, Settings: train.Defaults()}
	t.LearningRate, t.WeightDecay = 1e-5, 0
	return t
}

// Validate reports the first setting that makes no sense.
func (t Tuning) Validate() error {
	return cmp.Or(NeedModel(t.Model, t.Adapter), NeedOut(t.Out), template.CheckName(t.Template), t.Limit.Validate(), t.Settings.Validate())
}

// Start returns the model to continue from.
func (t Tuning) Start() Start { return Start{Model: t.Model, Adapter: t.Adapter, Template: t.Template} }

// Check returns the first of the problems that is one, under the stage's name.
func Check(stage string, problems ...error) error {
	if first := cmp.Or(problems...); first != nil {
		return fmt.Errorf("%s: %w", stage, first)
	}
	return nil
}

// NeedModel reports that the model to start from is not set, nor an adapter, which
// names one.
func NeedModel(dir, adapter string) error {
	return need(dir != "" || adapter != "", "model", "the model directory to start from")
}

// NeedTables reports that the tables are not set; setting says what they hold.
func NeedTables(setting string, paths []string) error {
	return need(len(paths) > 0, setting, "the tables of "+setting+" to learn from")
}

// NeedOut reports that the directory to write is not set.
func NeedOut(dir string) error { return need(dir != "", "out", "the model directory to write") }

func need(given bool, setting, what string) error {
	if given {
		return nil
	}
	return fmt.Errorf("%s is not set: %s", setting, what)
}
