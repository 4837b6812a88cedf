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

// Source loads what a task needs. Train calls the fields in their order; each receives the task
// with the results of those before it. The weights come after the rows, so that an invalid row
// is an error before a model takes memory.
type Source struct {
	Tokenizer func() (*tokenizer.Tokenizer, error)
	Examples  func(*train.Task) ([]pack.Example, pack.Count, error)
	Params    func(*train.Task) (*model.Params, error)
	// Complete adds to the examples what the model computes before training; may be nil.
	Complete func(*train.Task) error
}

// Train validates the settings, loads what t needs from files, and trains. The caller fills in
// the rest of t from the settings.
func Train(ctx context.Context, s Settings, t train.Task, from Source) (err error) {
	if err := s.Validate(); err != nil {
		return err
	}
	if t.Manifest, err = s.Manifest(); err != nil {
		return err
	}
	if t.Claimed, err = train.Claim(t); err != nil {
		return err
	}
	defer t.Claimed.Discard() // keeps what is not empty
	if err := from.load(&t); err != nil {
		return fmt.Errorf("%s: %w", t.Manifest.Stage, err)
	}
	return train.Run(ctx, t)
}

// load keeps garbage below 10% of the live heap: examples can take more memory than the model,
// and the peak counts.
func (s Source) load(t *train.Task) (err error) {
	defer memory.LimitGarbage(10)()
	if t.Tokenizer, err = s.Tokenizer(); err != nil {
		return err
	}
	if t.Examples, t.Rows, err = s.Examples(t); err != nil {
		return err
	}
	if t.Params, err = s.Params(t); err != nil || s.Complete == nil {
		return err
	}
	return s.Complete(t)
}
