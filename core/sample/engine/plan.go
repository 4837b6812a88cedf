package engine

import (
	"cmp"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
)

// chunk is what a step computes of a sequence: its next n tokens.
type chunk struct {
	*sequence
	n int
}

// completes reports whether the chunk ends with the sequence's last token, so that the
// step draws the next one.
func (c chunk) completes() bool { return c.computed+c.n == len(c.tokens) }

// plan decides what the next step computes: one token of each completion, and as much of
// the prompts as there are rows. Sequences that started first get memory first.
func (s *scheduler) plan() {
	s.batch = s.batch[:0]
	rows := max(s.slots, prefillRows)
	for _, q := range s.running {
		s.counted.SharedTokens += uint64(q.attach(s.pages))
		if len(q.tokens)-q.computed == 1 {
			rows--
		}
	}
	for i := 0; i < len(s.running); i++ { // reserve may shorten running at its end
		q := s.running[i]
		n := len(q.tokens) - q.computed
		if n > 1 {
			n = min(n, rows)
			rows -= n
		}
		if n = s.reserve(q, n); n > 0 {
			s.batch = append(s.batch, chunk{q, n})
		}
	}
	// Sequences of one request share its prompt: attention meets their pages together.
	slices.SortStableFunc(s.batch, func(a, b chunk) int {
		return cmp.Compare(a.request.arrival, b.request.arrival)
	})
}

// reserve takes pages for the next n tokens of q. It returns how many of these tokens
// have room.
func (s *scheduler) reserve(q *sequence, n int) int {
	for len(q.pages)*kernel.PageTokens < q.computed+n {
		p := s.pages.take()
		if p != nil {
			q.add(p)
			continue
		}
		if !s.relieve(q) {
			break
		}
	}
	return min(n, len(q.pages)*kernel.PageTokens-q.computed)
}

// relieve frees memory that q needs. It releases a prefill whose completions have not
// all started; if there is none, it preempts the sequence that started last, which
// computes its tokens again later. It returns false if that sequence is q.
func (s *scheduler) relieve(q *sequence) bool {
	for _, r := range slices.Backward(s.requests) {
		if r.logits != nil && r.prefill != nil {
			s.releasePrefill(r)
			return true
		}
	}
	last := len(s.running) - 1
	youngest := s.running[last]
	s.running = s.running[:last]
	s.counted.Preempted++
	youngest.drop(s.pages)
	s.preempted = slices.Insert(s.preempted, 0, youngest)
	return youngest != q
}
