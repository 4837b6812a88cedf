package engine

import (
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// penalties make tokens less likely that occurred before.
type penalties struct {
	repetition, presence, frequency float32

	seen map[token.ID]int // occurrences in the answer; 0: only in the prompt; nil: no penalty is on
}

func newPenalties(s sample.Settings, prompt []token.ID) penalties {
	p := penalties{repetition: float32(s.Repetition), presence: float32(s.Presence), frequency: float32(s.Frequency)}
	if p.repetition == 0 {
		p.repetition = 1
	}
	if p.repetition == 1 && p.presence == 0 && p.frequency == 0 {
		return p
	}
	p.seen = make(map[token.ID]int)
	for _, id := range prompt {
		p.seen[id] = 0
	}
	return p
}

// count records a token of the answer.
func (p *penalties) count(id token.ID) {
	if p.seen != nil {
		p.seen[id]++
	}
}

// apply appends logits to dst with the penalties applied. It returns nil if no penalty is
// on. Repetition follows transformers' RepetitionPenaltyLogitsProcessor, presence and
// frequency follow OpenAI's API.
func (p *penalties) apply(dst, logits []float32) []float32 {
	if p.seen == nil {
		return nil
	}
	dst = append(dst, logits...)
	for id, n := range p.seen {
		x := dst[id]
		if x > 0 {
			x /= p.repetition
		} else {
			x *= p.repetition
		}
		if n > 0 {
			x -= p.presence + p.frequency*float32(n)
		}
		dst[id] = x
	}
	return dst
}
