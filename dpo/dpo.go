// Package dpo is direct preference optimisation (arXiv 2305.18290) with the changes of Llama 3
// (arXiv 2407.21783, section 4.1.4).
//
// Use it to train a model on tables of preferences. Begin with Defaults and Run.
package dpo

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/stage"
)

// Settings are the settings of the stage.
type Settings struct {
	Reference   string   `yaml:"reference" path:"model"`    // directory of the reference model; empty: the model that training starts from
	Preferences []string `yaml:"preferences" path:"tables"` // tables of preferences

	Beta       float64 `yaml:"beta"`        // strength of the penalty on divergence from the reference
	NLLWeight  float64 `yaml:"nll_weight"`  // weight of the chosen response's negative log-likelihood
	MaskFormat bool    `yaml:"mask_format"` // leave end-of-turn tokens out of the preference loss

	stage.Tuning `yaml:",inline"`
}

// Defaults returns the default settings.
func Defaults() Settings {
	s := Settings{Beta: 0.1, NLLWeight: 0.2, MaskFormat: true, Tuning: stage.Defaults()}
	s.BatchTokens, s.BatchRows = 0, 32
	return s
}

// Validate returns an error for the first invalid setting, by its YAML key.
func (s Settings) Validate() error {
	return stage.Check("dpo",
		stage.NeedTables("preferences", s.Preferences),
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

// ownReference reports whether the reference is the model that training starts from.
func (s Settings) ownReference() bool {
	return s.Reference == "" || s.Reference == s.Model && s.Adapter == ""
}

// Manifest describes the run with these settings; its digest identifies the run.
func (s Settings) Manifest() (run.Manifest, error) {
	var own run.Inputs
	if s.ownReference() {
		dirs, err := s.Start().Dirs()
		if err != nil {
			return run.Manifest{}, stage.Check("dpo", err)
		}
		own = run.Inputs{"reference": dirs}
	}
	return stage.Manifest("dpo", s, own)
}

// Stage describes the stage to recipes and commands.
var Stage = stage.Description[Settings]{
	Name:     "dpo",
	Short:    "Optimise a model directly on preferences",
	Example:  []string{"model=chatty", "preferences=preferences.arrow", "out=aligned", "beta=0.1"},
	Defaults: Defaults,
	Run:      Run,
}

// Run trains the model on the preferences. It computes the log-probabilities of the reference
// once, and keeps them as columns of OUT/preferences.arrow.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: Sigmoid(s.Beta, s.NLLWeight), Metrics: Metrics(s.Beta), Dir: s.Out, Options: o}
	r := &referenced{Settings: s}
	from := stage.From(s.Start(), func(t *train.Task) ([]pack.Example, pack.Count, error) { return r.examples(ctx, t) })
	from.Complete = func(t *train.Task) error { return r.complete(ctx, t) }
	return stage.Train(ctx, s, task, from)
}
