package stage

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/tokenizer"
	"github.com/herd-lm/herd/core/train"
)

// Source is where a task gets what learns, and what from. The fields are called in
// their order, each with what those before it gave; the weights come last, so that
// rows are refused before there is memory for a model.
type Source struct {
	Tokenizer func() (*tokenizer.Tokenizer, error)
	Examples  func(*train.Task) ([]pack.Example, error)
	Params    func(*train.Task) (*model.Params, error)
}

// From is the source of a stage that goes on from the model in dir, which load
// loads: model.Load or model.LoadReward.
func From(dir string, load func(dir string, gradients bool) (*model.Params, error), examples func(*train.Task) ([]pack.Example, error)) Source {
	return Source{
		Tokenizer: func() (*tokenizer.Tokenizer, error) { return tokenizer.Load(dir) },
		Examples:  examples,
		Params:    func(*train.Task) (*model.Params, error) { return load(dir, true) },
	}
}

// Train does what the settings ask for. The task holds what they say of it; what is
// read from files is added here.
func Train(ctx context.Context, s Settings, t train.Task, from Source) (err error) {
	if err := s.Validate(); err != nil {
		return err
	}
	if t.Manifest, err = s.Manifest(); err != nil {
		return err
	}
	if err := from.load(&t); err != nil {
		return fmt.Errorf("%s: %w", t.Manifest.Stage, err)
	}
	return train.Run(ctx, t)
}

// load reads with little garbage, 10% of what is in use: examples may take more
// than the model, and what was in memory once counts.
func (s Source) load(t *train.Task) (err error) {
	defer memory.LimitGarbage(10)()
	if t.Tokenizer, err = s.Tokenizer(); err != nil {
		return err
	}
	if t.Examples, err = s.Examples(t); err != nil {
		return err
	}
	t.Params, err = s.Params(t)
	return err
}
