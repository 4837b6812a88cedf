// Package dpo is direct preference optimisation (arXiv 2305.18290) as Llama 3
// does it (arXiv 2407.21783, section 4.1.4).
package dpo

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/stage"
	"github.com/herd-lm/herd/core/train"
)

// Settings of the stage.
type Settings struct {
	Model       string   `yaml:"model"`       // model directory to start from
	Reference   string   `yaml:"reference"`   // model directory of the reference; empty: model
	Preferences []string `yaml:"preferences"` // tables of preferences
	Out         string   `yaml:"out"`         // model directory to write

	Beta       float64 `yaml:"beta"`        // weight of the divergence from the reference
	NLLWeight  float64 `yaml:"nll_weight"`  // of the chosen response's likelihood
	MaskFormat bool    `yaml:"mask_format"` // leave end-of-turn tokens out of the contrast

	stage.Tuning `yaml:",inline"`
}

// Defaults returns the settings that a YAML file changes.
func Defaults() Settings {
	s := Settings{Beta: 0.1, NLLWeight: 0.2, MaskFormat: true, Tuning: stage.Defaults()}
	s.BatchTokens, s.BatchRows = 0, 32
	return s
}

// Validate reports the first setting that makes no sense.
func (s Settings) Validate() error {
	return stage.Check("dpo",
		stage.NeedModel(s.Model), stage.NeedTables("preferences", s.Preferences), stage.NeedOut(s.Out),
		s.check(), s.Tuning.Validate())
}

func (s Settings) check() error {
	switch {
	case !(s.Beta > 0):
		return fmt.Errorf("beta is %g, expected a positive number", s.Beta)
	case !(s.NLLWeight >= 0):
		return fmt.Errorf("nll_weight is %g, expected 0 or more", s.NLLWeight)
	}
	return nil
}

func (s Settings) reference() string {
	if s.Reference == "" {
		return s.Model
	}
	return s.Reference
}

// Manifest describes the run that s asks for.
func (s Settings) Manifest() (checkpoint.Manifest, error) {
	bare := s
	bare.Model, bare.Reference, bare.Preferences, bare.Out = "", "", nil, ""
	return train.NewManifest("dpo", bare, train.Inputs{
		"model": {s.Model}, "reference": {s.reference()}, "preferences": s.Preferences,
	})
}

// Run optimises the model on the preferences. The reference's log-probabilities
// are computed once and kept as columns of OUT/preferences.arrow.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: Sigmoid(s.Beta, s.NLLWeight), Metrics: Metrics(s.Beta), Dir: s.Out, Options: o}
	return stage.Train(ctx, s, task, stage.From(s.Model, model.Load, func(t *train.Task) ([]pack.Example, error) {
		return referenced(ctx, t.Tokenizer, s, t.Manifest)
	}))
}
