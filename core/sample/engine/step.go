package engine

import (
	"slices"

	"github.com/herd-lm/herd/core/kernel"
)

// step computes the batch, and draws the next token of each sequence that is computed to
// its end.
func (s *scheduler) step() {
	if len(s.batch) == 0 {
		return
	}
	s.rows = s.rows[:0]
	for _, c := range s.batch {
		s.rows = c.rows(s.rows, c.n)
	}
	s.computed += uint64(len(s.rows))
	logits, err := s.decoder.Step(s.rows)
	if err != nil {
		s.failAll(err)
		return
	}
	complete, last := s.batch[:0], make([]int, 0, len(s.batch)) // last: of its rows of logits
	rows := 0
	for _, c := range s.batch {
		completes := c.completes()
		switch {
		case c.scores():
			c.score(logits[rows*s.vocab:][:c.n*s.vocab], s.vocab, c.computed, &s.samplersFor(1)[0])
			rows += c.n
		case completes:
			rows++
		}
		c.advance(s.pages, c.n)
		if completes {
			complete, last = append(complete, c), append(last, rows-1)
		}
	}
	s.draw(complete, logits, last)
}

// draw gives each completed chunk its last row of logits, [rows, V].
func (s *scheduler) draw(chunks []chunk, logits []float32, last []int) {
	samplers := s.samplersFor(len(chunks))
	kernel.Parallel(len(chunks), func(i int) {
		q, own := chunks[i].sequence, logits[last[i]*s.vocab:][:s.vocab]
		if q.isPrefill() {
			q.request.logits = slices.Clone(own)
		} else {
			q.draw(own, &samplers[i])
		}
	})
	for _, c := range chunks {
		if !c.isPrefill() {
			s.counted.DrawnTokens++
		}
		if c.ended || c.isPrefill() {
			s.running = slices.DeleteFunc(s.running, func(q *sequence) bool { return q == c.sequence })
		}
		if c.ended {
			s.end(c.sequence)
		}
	}
}

// samplersFor returns n samplers, which keep their buffers from step to step.
func (s *scheduler) samplersFor(n int) []sampler {
	for len(s.samplers) < n {
		s.samplers = append(s.samplers, sampler{})
	}
	return s.samplers[:n]
}
