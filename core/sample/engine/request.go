package engine

import (
	"context"

	"github.com/herd-lm/herd/core/sample"
)

// request is a sample.Request that the scheduler answers.
type request struct {
	sample.Request
	ctx     context.Context
	index   int    // in the caller's list
	arrival uint64 // place in the order in which the scheduler received requests
	room    int    // greatest length of a completion

	prefill     *sequence // computes the prompt; holds its pages until all completions have started
	logits      []float32 // [V] that follow the prompt; nil until they are computed
	next        int       // index of the completion to start next
	open        int       // completions that have not ended
	completions []sample.Completion
	scored      []sample.Token // of the prompt, from its second token on
	embedding   []float32      // if not nil, the result in place of completions, [HiddenSize]

	over     bool // the caller has it back
	err      error
	finished chan<- *request
}

func (e *Engine) newRequest(ctx context.Context, index int, r sample.Request, finished chan<- *request) *request {
	q := &request{
		Request: r, ctx: ctx, index: index, room: e.room(r), open: len(r.Seeds),
		completions: make([]sample.Completion, len(r.Seeds)), finished: finished,
	}
	for k, seed := range r.Seeds {
		q.completions[k].Seed = seed
	}
	return q
}

// ready returns the sequence to start next: first the prefill, then each completion. It
// returns false if r waits for its prefill, or if all its completions have started.
func (r *request) ready() (k int, ok bool) {
	if r.logits == nil {
		return prefill, r.prefill == nil && r.embedding == nil && !r.over
	}
	return r.next, r.next < len(r.Seeds) && !r.over
}

// waiting reports whether the scheduler has not computed anything of r.
func (r *request) waiting() bool { return r.prefill == nil && r.logits == nil }
