package recipes

import (
	"context"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/stage"
	"github.com/herd-lm/herd/dpo"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/pretrain"
	"github.com/herd-lm/herd/rejection"
	"github.com/herd-lm/herd/reward"
	"github.com/herd-lm/herd/sft"
)

// kinds are the kinds of stages in the order in which a recipe has them. A new stage is a
// line here: recipes and commands know it then.
var kinds = []*Kind{
	training(pretrain.Stage, losses, answers),
	training(sft.Stage, losses, answers),
	training(reward.Stage, rewards),
	sampling(),
	training(dpo.Stage, losses, preferences, answers),
}

// Kinds lists the kinds of stages in the order in which a recipe has them.
func Kinds() []*Kind { return kinds }

// Kind is a kind of stage, with all that recipes and commands know of it. Its settings tell
// the rest: their `path` tags say what the stage reads and writes (see config.Paths).
type Kind struct {
	Name    string   // in recipes, manifests and commands: "sft"
	Short   string   // what the stage does, in a line
	Example []string // settings of a typical run: "out=chatty"
	Trains  bool     // with the training loop, which can write a profile

	defaults func() Settings
	run      func(context.Context, Settings, StageOptions) error
	there    func(Settings, run.Manifest) (run.Contents, error) // what a run that stopped early left
	measure  func(context.Context, *engine, Stage) (eval.Measures, []eval.Answer, error)
}

// Settings are a pointer to the settings of a stage.
type Settings = stage.Settings

// StageOptions control how a stage executes. They do not affect its results.
type StageOptions struct {
	run.Mode
	Profile bool        // write where the time goes: see train.Options
	Report  func(Event) // gets events with a Plan, Training, Sampling or Summary
}

// Defaults returns a pointer to new settings with the defaults of the kind.
func (k *Kind) Defaults() Settings { return k.defaults() }

// Run runs a stage of the kind. The settings are a pointer to those of the kind.
func (k *Kind) Run(ctx context.Context, s Settings, o StageOptions) error { return k.run(ctx, s, o) }

// training is the kind of a stage that trains a model. The steps measure the model.
func training[S Settings, P interface {
	*S
	Settings
}](d stage.Description[S], steps ...measurement) *Kind {
	return &Kind{
		Name: d.Name, Short: d.Short, Example: d.Example, Trains: true,
		defaults: func() Settings {
			s := d.Defaults()
			return P(&s)
		},
		run: func(ctx context.Context, s Settings, o StageOptions) error {
			return d.Run(ctx, *s.(P), train.Options{
				Mode: o.Mode, Profile: o.Profile,
				Announce: func(p train.Plan) { o.Report(Event{Plan: &p}) },
				Report:   func(p train.Progress) { o.Report(Event{Training: &p}) },
			})
		},
		there: func(s Settings, m run.Manifest) (run.Contents, error) { return train.Unfinished(outOf(s), m) },
		measure: func(ctx context.Context, e *engine, s Stage) (eval.Measures, []eval.Answer, error) {
			return e.measureModel(ctx, s, steps)
		},
	}
}

// sampling is the kind of rejection sampling. Its stages write samples, no model.
func sampling() *Kind {
	return &Kind{
		Name:    "rejection",
		Short:   "Sample answers from a model and let a reward model or a checker choose",
		Example: []string{"model=chatty", "reward=judge", "prompts=prompts.arrow", "out=best", "samples=8"},
		defaults: func() Settings {
			s := rejection.Defaults()
			return &s
		},
		run: func(ctx context.Context, s Settings, o StageOptions) error {
			return rejection.Run(ctx, *s.(*rejection.Settings), rejection.Options{
				Mode:      o.Mode,
				Report:    func(p rejection.Progress) { o.Report(Event{Sampling: &p}) },
				Summarise: func(s rejection.Summary) { o.Report(Event{Summary: &s}) },
			})
		},
		there: func(s Settings, m run.Manifest) (run.Contents, error) {
			return rejection.Unfinished(outOf(s), *s.(*rejection.Settings), m)
		},
		measure: measureSampling,
	}
}

// outOf returns the directory that a stage writes.
func outOf(s Settings) string { return config.PathOf(s, config.Out).Value.String() }
