package engine

import (
	"math"
	"slices"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// constrained is what a constraint allows a completion to say next.
type constrained struct {
	state   sample.ConstraintState // nil: there is no constraint
	allowed []uint64               // bit id%64 of word id/64, with the stop tokens where it may end
	over    bool                   // nothing may follow
}

// begin sets the state before the first token.
func (c *constrained) begin(r sample.Request) error {
	if r.Constraint == nil {
		return nil
	}
	c.state = r.Constraint.Begin()
	return c.update(r.Stop)
}

// next records a token that was drawn.
func (c *constrained) next(id token.ID, stop []token.ID) error {
	if c.state == nil {
		return nil
	}
	c.state = c.state.Next(id)
	return c.update(stop)
}

func (c *constrained) update(stop []token.ID) error {
	allowed, ends, err := c.state.Allowed()
	if err != nil {
		return err
	}
	c.allowed, c.over = allowed, allowed == nil && ends
	if ends && !c.over {
		c.allowed = slices.Clone(allowed)
		for _, id := range stop {
			if word := int(id) / 64; id >= 0 && word < len(c.allowed) {
				c.allowed[word] |= 1 << (id % 64)
			}
		}
	}
	return nil
}

// restrict returns logits, or changed if that is not nil, with those of tokens that are not allowed
// at minus infinity. It appends them to dst if they are not in changed. It returns changed if all are
// allowed.
func restrict(changed, dst, logits []float32, allowed []uint64) []float32 {
	if allowed == nil {
		return changed
	}
	if changed == nil {
		changed = append(dst, logits...)
	}
	for id := range changed {
		if word := id / 64; word >= len(allowed) || allowed[word]>>(id%64)&1 == 0 {
			changed[id] = float32(math.Inf(-1))
		}
	}
	return changed
}
