package engine

import (
	"context"

	"github.com/herd-lm/herd/core/sample"
)

// job is a request being answered.
type job struct {
	sample.Request
	ctx    context.Context
	index  int // of the request, for the caller
	number uint64
	room   int // most tokens of a completion

	prompt *sequence // computes the prompt, and keeps its pages until all completions have begun
	logits []float32 // that follow the prompt, [V], once they are known
	next   int       // completion to begin next
	open   int       // completions that have not ended
	out    []sample.Completion
	embed  []float32 // if not nil, what is wanted in place of completions

	over     bool // handed back to the caller
	err      error
	finished chan<- *job
}

func (e *Engine) newJob(ctx context.Context, index int, r sample.Request, finished chan<- *job) *job {
	j := &job{
		Request: r, ctx: ctx, index: index, room: e.room(r), open: len(r.Seeds),
		out: make([]sample.Completion, len(r.Seeds)), finished: finished,
	}
	for k, seed := range r.Seeds {
		j.out[k].Seed = seed
	}
	return j
}

// ready returns the sequence to begin next: the prompt alone, then completion after
// completion; false if j has to wait for its prompt, or has begun all.
func (j *job) ready() (k int, ok bool) {
	if j.logits == nil {
		return promptOnly, j.prompt == nil && j.embed == nil && !j.over
	}
	return j.next, j.next < len(j.Seeds) && !j.over
}
