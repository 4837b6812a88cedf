package constrain

import (
	"fmt"
	"sync"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// Constraint is a grammar over a vocabulary. Any number of goroutines may use it, and several
// requests: they share what is known about its states.
type Constraint struct {
	vocabulary *Vocabulary

	mu     sync.Mutex
	states *states
}

// following are the tokens that may follow a state, as a set of bits.
type following struct {
	tokens []uint64
	n      int
}

// Over returns the grammar as a constraint on the tokens of a vocabulary.
func (g *Grammar) Over(v *Vocabulary) *Constraint {
	return &Constraint{vocabulary: v, states: newStates(g)}
}

// Begin implements sample.Constraint.
func (c *Constraint) Begin() sample.ConstraintState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &cursor{c, c.states.begin()}
}

// cursor is the place of one completion.
type cursor struct {
	*Constraint
	at *state
}

// Allowed implements sample.ConstraintState.
func (q *cursor) Allowed() (tokens []uint64, ends bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.at.follow == nil {
		f := &following{tokens: make([]uint64, (len(q.vocabulary.texts)+63)/64)}
		q.states.keep(8 * len(f.tokens))
		q.vocabulary.walk(q.states, q.at, func(id token.ID) {
			f.tokens[id/64] |= 1 << (id % 64)
			f.n++
		})
		if q.states.err != nil {
			return nil, false, q.states.err
		}
		q.at.follow = f
	}
	switch {
	case q.at.follow.n > 0:
		return q.at.follow.tokens, q.at.ends, nil
	case q.at.ends:
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("constrain: no token of the vocabulary continues the answer as the schema asks")
}

// Next implements sample.ConstraintState.
func (q *cursor) Next(id token.ID) sample.ConstraintState {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := q.at
	for _, c := range []byte(q.vocabulary.texts[id]) {
		at = q.states.step(at, c)
	}
	return &cursor{q.Constraint, at}
}
