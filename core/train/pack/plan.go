package pack

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/token"
)

// Limits say what an optimiser step and its micro-batches hold. Of Rows and
// Tokens one may be 0, which means no limit.
type Limits struct {
	Rows   int // examples in a step
	Tokens int // tokens in a step
	Micro  int // tokens in a micro-batch
}

// Plan is the order in which examples are trained on: a fresh shuffle every
// epoch, cut into steps, each step packed into micro-batches. It depends on
// nothing but its arguments, so that step n of a resumed run is step n of the
// unbroken one.
type Plan struct {
	examples []Example
	tokens   []int
	limits   Limits
	seed     uint64
	// starts[e] lists where the steps of epoch e begin in its shuffled order.
	epochs [][]int
	starts []int // first step of each epoch in epochs

	// shuffled is the order of epoch shuffledAs, the one used last: training asks
	// for one step after another.
	shuffled   []int
	shuffledAs int
}

// NewPlan returns a plan over the examples. An example longer than a
// micro-batch is an error.
func NewPlan(examples []Example, limits Limits, seed uint64) (*Plan, error) {
	if len(examples) == 0 {
		return nil, fmt.Errorf("pack: no examples to train on")
	}
	if limits.Micro <= 0 || limits.Rows < 0 || limits.Tokens < 0 || limits.Rows+limits.Tokens == 0 {
		return nil, fmt.Errorf("pack: limits %+v: a step needs rows or tokens, and a micro-batch tokens", limits)
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

// StepsPerEpoch returns how many steps the first pass over the examples takes.
func (p *Plan) StepsPerEpoch() int {
	p.layOutTo(0)
	return len(p.epochs[0])
}

// Step returns the micro-batches of step n, counted from 0 across epochs.
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

// Capacity returns the size that holds every micro-batch of the first n steps.
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

// StepTokens returns how many tokens the largest of the first n steps has.
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

// microBatches packs the examples of step n first-fit-decreasing, which comes
// within 11/9 of the fewest micro-batches.
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

// layOutTo cuts epochs into steps until step n is among them.
func (p *Plan) layOutTo(n int) {
	for {
		next := 0
		if e := len(p.epochs); e > 0 {
			next = p.starts[e-1] + len(p.epochs[e-1])
		}
		if n < next {
			return
		}
		p.starts = append(p.starts, next)
		p.epochs = append(p.epochs, p.cuts(p.order(len(p.epochs))))
	}
}

// order returns the shuffle of an epoch, not to be changed.
func (p *Plan) order(epoch int) []int {
	if p.shuffled == nil || p.shuffledAs != epoch {
		p.shuffled = rand.New(rand.NewPCG(p.seed, uint64(epoch))).Perm(len(p.examples))
		p.shuffledAs = epoch
	}
	return p.shuffled
}

// cuts returns where in order each step starts.
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
