// Package dpo is direct preference optimisation (arXiv 2305.18290) as Llama 3
// does it (arXiv 2407.21783, section 4.1.4).
package dpo

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/stage"
)

// Settings of the stage.
type Settings struct {
	Model       string   `yaml:"model"`                     // model directory to start from
	Adapter     string   `yaml:"adapter" json:",omitempty"` // adapter directory to go on from; empty: none, or the model's
	Reference   string   `yaml:"reference"`                 // model directory of the reference; empty: what is started from
	Preferences []string `yaml:"preferences"`               // tables of preferences
	Out         string   `yaml:"out"`                       // model directory to write

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
		stage.NeedModel(s.Model, s.Adapter), stage.NeedTables("preferences", s.Preferences), stage.NeedOut(s.Out),
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

func (s Settings) start() stage.Start { return stage.Start{Model: s.Model, Adapter: s.Adapter} }

func (s Settings) reference() stage.Start {
	if s.ownReference() {
		return s.start()
	}
	return stage.Start{Model: s.Reference}
}

// ownReference reports whether the reference is the model that is started from.
func (s Settings) ownReference() bool {
	return s.Reference == "" || s.Reference == s.Model && s.Adapter == ""
}

// Manifest describes the run that s asks for.
func (s Settings) Manifest() (run.Manifest, error) {
	bare := s
	bare.Model, bare.Adapter, bare.Reference, bare.Preferences, bare.Out = "", "", "", nil, ""
	start, err := s.start().Dirs()
	if err != nil {
		return run.Manifest{}, stage.Check("dpo", err)
	}
	reference, err := s.reference().Dirs()
	if err != nil {
		return run.Manifest{}, stage.Check("dpo", err)
	}
	return run.NewManifest("dpo", bare, run.Inputs{"model": start, "reference": reference, "preferences": s.Preferences})
}

// Run optimises the model on the preferences. The reference's log-probabilities
// are computed once and kept as columns of OUT/preferences.arrow.
func Run(ctx context.Context, s Settings, o train.Options) error {
	task := train.Task{Settings: s.Settings, Loss: Sigmoid(s.Beta, s.NLLWeight), Metrics: Metrics(s.Beta), Dir: s.Out, Options: o}
	r := &referenced{Settings: s}
	from := stage.From(s.start(), func(t *train.Task) ([]pack.Example, error) { return r.examples(ctx, t) })
	from.Complete = func(t *train.Task) error { return r.complete(ctx, t) }
	return stage.Train(ctx, s, task, from)
}
