package engine

import (
	"errors"
	"slices"
)

var errNotFinite = errors.New("the model's logits are not finite: its weights are damaged, or its training diverged")

// finishCancelled ends the requests whose context has ended.
func (s *scheduler) finishCancelled() {
	for _, r := range slices.Clone(s.requests) {
		if err := r.ctx.Err(); err != nil {
			s.finish(r, err)
		}
	}
}

// failAll ends all requests: the decoder would fail again.
func (s *scheduler) failAll(err error) {
	for _, r := range slices.Clone(s.requests) {
		s.finish(r, err)
	}
}

// end frees a completion that has ended, and finishes its request if it was the last.
func (s *scheduler) end(q *sequence) {
	q.drop(s.pages)
	r := q.request
	r.open--
	switch {
	case r.over: // another of its completions failed
	case q.err != nil:
		s.finish(r, q.err)
	case r.open == 0:
		s.finish(r, nil)
	}
}

// finish returns a request to its caller, and frees what it still holds.
func (s *scheduler) finish(r *request, err error) {
	r.err, r.over = err, true
	for k := range r.completions {
		r.completions[k].Prompt = r.scored
	}
	own := func(q *sequence) bool {
		if q.request == r {
			q.drop(s.pages)
		}
		return q.request == r
	}
	s.running, s.preempted = slices.DeleteFunc(s.running, own), slices.DeleteFunc(s.preempted, own)
	s.releasePrefill(r)
	s.requests = slices.DeleteFunc(s.requests, func(other *request) bool { return other == r })
	s.mu.Lock()
	s.publish()
	s.mu.Unlock()
	r.finished <- r
}

// releasePrefill releases the pages of a computed prompt.
func (s *scheduler) releasePrefill(r *request) {
	if r.prefill != nil {
		r.prefill.drop(s.pages)
		r.prefill = nil
	}
}
