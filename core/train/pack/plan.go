package pack

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/token"
)

// Limits are the sizes of an optimiser step and of its micro-batches. One of Rows and Tokens
// may be 0, which means no limit.
type Limits struct {
	Rows   int // examples in a step
	Tokens int // tokens in a step
	Micro  int // tokens in a micro-batch
}

// Plan is the order of the examples in training: a new shuffle every epoch, cut into steps,
// each step packed into micro-batches. It depends on the arguments of NewPlan alone, so step n
// of a resumed run is step n of an uninterrupted one.
type Plan struct {
	examples []Example
	tokens   []int
	limits   Limits
	seed     uint64
	// epochs[e] lists where the steps of epoch e begin in its shuffled order.
	epochs [][]int
	starts []int // first step of each epoch in epochs

	// shuffled is the order of epoch shuffledAs, the last one in use. One is enough, because
	// training asks for one step after another.
	shuffled   []int
	shuffledAs int
}

// NewPlan returns a plan for the examples. An example longer than a micro-batch is an error.
func NewPlan(examples []Example, limits Limits, seed uint64) (*Plan, error) {
	if len(examples) == 0 {
		return nil, fmt.Errorf("pack: no examples to train on")
	}
	if limits.Micro <= 0 || limits.Rows < 0 || limits.Tokens < 0 || limits.Rows+limits.Tokens == 0 {
		return nil, fmt.Errorf("pack: limits %+v: a step needs a limit on rows or tokens, a micro-batch one on tokens", limits)
	}
	p := &Plan{examples: examples, limits: limits, seed: seed}
	for _, e := range examples {
		n := e.Tokens()
		if n > limits.Micro {
			return nil, fmt.Errorf("pack: row %s takes %d tokens, a micro-batch holds %d", e.Row, n, limits.Micro)
		}
		p.tokens = append(p.tokens, n)
	}
	return p, nil
}

// Steps returns the number of steps of so many passes over the examples, at least 1. Each pass
// has another order and so, with a limit on tokens, another number of steps. A part of a pass
// counts that part of its steps, rounded.
func (p *Plan) Steps(epochs float64) int {
	whole := int(epochs)
	for len(p.epochs) <= whole {
		last := len(p.epochs) - 1
		p.layOutTo(p.end(last))
	}
	part := (epochs - float64(whole)) * float64(len(p.epochs[whole]))
	return max(1, p.starts[whole]+int(part+0.5))
}

// end returns the first step after an epoch, 0 for epoch -1.
func (p *Plan) end(epoch int) int {
	if epoch < 0 {
		return 0
	}
	return p.starts[epoch] + len(p.epochs[epoch])
}

// Step returns the micro-batches of step n. Steps count from 0 across epochs.
func (p *Plan) Step(n int) []*token.Batch {
	var batches []*token.Batch
	for _, bin := range p.microBatches(n) {
		members := make([]Example, len(bin))
		for i, e := range bin {
			members[i] = p.examples[e]
		}
		batches = append(batches, Batch(members))
	}
	return batches
}

// Capacity returns the smallest size that holds every micro-batch of the first n steps.
func (p *Plan) Capacity(n int) token.Size {
	var size token.Size
	for step := range n {
		for _, bin := range p.microBatches(step) {
			var b token.Size
			for _, e := range bin {
				b = b.Add(p.examples[e].size())
			}
			size = size.Max(b)
		}
	}
	return size
}

// StepTokens returns the number of tokens of the largest of the first n steps.
func (p *Plan) StepTokens(n int) int {
	most := 0
	for step := range n {
		tokens := 0
		for _, e := range p.members(step) {
			tokens += p.tokens[e]
		}
		most = max(most, tokens)
	}
	return most
}

// microBatches packs the examples of step n by first-fit decreasing, which needs at most 11/9
// of the fewest possible micro-batches (plus a constant).
func (p *Plan) microBatches(n int) [][]int {
	members := slices.Clone(p.members(n))
	slices.SortStableFunc(members, func(a, b int) int { return p.tokens[b] - p.tokens[a] })
	var bins [][]int
	var free []int
	for _, e := range members {
		i := slices.IndexFunc(free, func(room int) bool { return room >= p.tokens[e] })
		if i < 0 {
			i = len(bins)
			bins, free = append(bins, nil), append(free, p.limits.Micro)
		}
		bins[i], free[i] = append(bins[i], e), free[i]-p.tokens[e]
	}
	return bins
}

// members returns the examples of step n, in the order of their epoch.
func (p *Plan) members(n int) []int {
	p.layOutTo(n)
	epoch, _ := slices.BinarySearch(p.starts, n+1)
	epoch--
	order, cuts := p.order(epoch), p.epochs[epoch]
	i := n - p.starts[epoch]
	end := len(order)
	if i+1 < len(cuts) {
		end = cuts[i+1]
	}
	return order[cuts[i]:end]
}

// layOutTo cuts epochs into steps until it reaches step n.
func (p *Plan) layOutTo(n int) {
	for {
		next := p.end(len(p.epochs) - 1)
		if n < next {
			return
		}
		p.starts = append(p.starts, next)
		p.epochs = append(p.epochs, p.cuts(p.order(len(p.epochs))))
	}
}

// order returns the shuffled order of an epoch. The caller must not change it.
func (p *Plan) order(epoch int) []int {
	if p.shuffled == nil || p.shuffledAs != epoch {
		p.shuffled = rand.New(rand.NewPCG(p.seed, uint64(epoch))).Perm(len(p.examples))
		p.shuffledAs = epoch
	}
	return p.shuffled
}

// cuts returns the index in order where each step starts.
func (p *Plan) cuts(order []int) []int {
	cuts := []int{0}
	rows, tokens := 0, 0
	for i, e := range order {
		full := p.limits.Rows > 0 && rows == p.limits.Rows ||
			p.limits.Tokens > 0 && rows > 0 && tokens+p.tokens[e] > p.limits.Tokens
		if full {
			cuts, rows, tokens = append(cuts, i), 0, 0
		}
		rows, tokens = rows+1, tokens+p.tokens[e]
	}
	return cuts
}
