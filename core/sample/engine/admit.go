package engine

import (
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// admit fills empty slots as far as there is memory: first with preempted sequences,
// then with what the oldest requests have to start.
func (s *scheduler) admit() {
	for len(s.preempted) > 0 && s.fits(s.preempted[0].tokens) {
		s.running = append(s.running, s.preempted[0])
		s.preempted = s.preempted[1:]
	}
	if len(s.preempted) > 0 {
		return
	}
	for _, r := range slices.Clone(s.requests) {
		for k, ok := r.ready(); ok; k, ok = r.ready() {
			if !s.fits(r.Prompt) {
				return
			}
			s.start(newSequence(r, k, s.tok))
		}
	}
}

// fits reports whether there is a slot for one more sequence, and memory for its tokens
// and one more page for each running sequence.
func (s *scheduler) fits(tokens []token.ID) bool {
	if len(s.running) == 0 {
		return true
	}
	need := pagesFor(len(tokens)+1) - s.pages.cached(tokens)
	return len(s.running) < s.slots && s.pages.available() >= need+len(s.running)
}

// start begins a sequence. A completion draws its first token at once, from the logits
// of its request's prefill.
func (s *scheduler) start(q *sequence) {
	r := q.request
	if q.isPrefill() {
		r.prefill = q
		s.running = append(s.running, q)
		return
	}
	r.next++
	q.draw(r.logits, &s.samplersFor(1)[0])
	s.counted.DrawnTokens++
	if !q.ended {
		s.fork(q)
		s.running = append(s.running, q)
	}
	if r.next == len(r.Seeds) {
		s.releasePrefill(r)
	}
	if q.ended {
		s.end(q)
	}
}

// fork continues q from its request's prefill. q shares the full pages and copies the
// partly filled last page; the last completion takes that page over.
func (s *scheduler) fork(q *sequence) {
	q.attach(s.pages)
	r := q.request
	full := len(r.Prompt) / kernel.PageTokens * kernel.PageTokens
	if r.prefill == nil || q.computed != full || q.computed == len(r.Prompt) {
		return // the next steps compute the rest, as for any sequence
	}
	last := r.prefill.last()
	if r.next == len(r.Seeds) {
		s.pages.hold(last)
	} else {
		own := s.pages.take()
		if own == nil {
			return
		}
		own.kv.Copy(last.kv)
		last = own
	}
	q.add(last)
	q.computed = len(r.Prompt)
}
