package stage

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
)

// Source is where a task gets what learns, and what from. The fields are called in
// their order, each with what those before it gave; the weights come after the rows, so
// that these are refused before there is memory for a model.
type Source struct {
	Tokenizer func() (*tokenizer.Tokenizer, error)
	Examples  func(*train.Task) ([]pack.Example, error)
	Params    func(*train.Task) (*model.Params, error)
	// Complete adds to the examples what the model is asked before it learns; may be nil.
	Complete func(*train.Task) error
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
	if t.Params, err = s.Params(t); err != nil || s.Complete == nil {
		return err
	}
	return s.Complete(t)
}
