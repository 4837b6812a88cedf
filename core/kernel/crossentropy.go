package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// CrossEntropy processes as many rows at a time as have about wholeRowsMost logits, within
// limits. Each time it reads all of w and adds to all of dw. That should cost little compared
// with the products, which more rows would not make faster.
const (
	wholeRowsMost = 1 << 26
	fewestRows    = 128
	mostRows      = 1024
)

// CrossEntropyScratch returns how many floats of scratch to give CrossEntropy for r rows or
// fewer.
func CrossEntropyScratch(r, vocab int) int {
	return min(r, max(fewestRows, min(mostRows, wholeRowsMost/vocab))) * LogitRow(vocab)
}

// CrossEntropy holds the weights of a cross-entropy over the R rows of a Head, and its results.
type CrossEntropy struct {
	Weight []float32 // [R] of each row's log-probability

	LogP []float32 // [R] result: log softmax(X·Wᵀ)[Target]
	DX   []float32 // [R, D] result: gradient of X, which it must not overlap; nil: no gradients
	DW   []float32 // [Vocab, D] result: gradient of W; nil if W is frozen
	// Accumulate adds to DW instead of setting it.
	Accumulate bool

	// Logits is scratch of at least LogitRow(Vocab) floats: see CrossEntropyScratch. The
	// kernel takes as many rows at a time as fit, and sums DW in that order.
	Logits []float32
}

// CrossEntropy returns the loss -Σ Weight[r]·LogP[r], summed in float64, and computes the
// gradients of the loss in the same pass. It needs the logits only once, because the
// weights are known (Liger-Kernel, arXiv 2410.10989, section 3.2).
//
// A row whose weight is 0 adds no work to the gradients. LogP and DX of a row depend on
// that row only.
func (f Precision) CrossEntropy(h Head, o CrossEntropy) (loss float64) {
	if len(h.Target) == 0 && !o.Accumulate {
		clear(o.DW)
	}
	c := crossEntropy{precision: f, d: h.D, vocab: h.Vocab, stride: LogitRow(h.Vocab), w: h.W, dw: o.DW, logits: o.Logits, gradients: o.DX != nil}
	for i, end := 0, 0; i < len(h.Target); i = end {
		end = i + gemm.Evenly(len(h.Target)-i, len(o.Logits)/c.stride) // a short last group would cost as much as a full one
		c.logp, c.weight, c.target, c.x = o.LogP[i:end], o.Weight[i:end], h.Target[i:end], h.X[i*h.D:end*h.D]
		c.forward()
		if c.gradients {
			c.dx = o.DX[i*h.D : end*h.D]
			c.backward(o.Accumulate || i > 0)
		}
	}
	for i, l := range o.LogP[:len(h.Target)] {
		loss -= float64(o.Weight[i]) * float64(l)
	}
	return loss
}

// crossEntropy is the state for the rows that are processed at a time.
type crossEntropy struct {
	precision    Precision
	d, vocab     int
	stride       int       // from one row of logits to the next
	w, dw        []float32 // [vocab, d]
	logits       []float32 // [rows, vocab], then their gradients
	logp, weight []float32 // [rows]
	target       []token.ID
	x, dx        []float32 // [rows, d]
	gradients    bool      // whether to compute them
}

func (c *crossEntropy) forward() {
	n := len(c.target)
	c.precision.logits(c.logits, c.x, c.w, n, c.d, c.vocab, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			c.row(i)
		}
	})
}

// row computes the log-probability from the logits of row i, and replaces the logits by their
// gradients: weight·(p − [entry is the target]).
func (c *crossEntropy) row(i int) {
	row, t := c.logits[i*c.stride:][:c.vocab], c.target[i]
	logit := float64(row[t])
	top := vector.Max(row)
	sum := expSum(row, top)
	c.logp[i] = float32(logit - (float64(top) + math.Log(sum)))
	if c.gradients {
		vector.Scale(row, float32(float64(c.weight[i])/sum))
		row[t] -= c.weight[i]
	}
}

// backward computes dx and dw from the gradients of the logits.
func (c *crossEntropy) backward(accumulate bool) {
	b := borrow(0)
	defer b.giveBack()
	b.rows = b.rows[:0]
	for i, g := range c.weight {
		if g != 0 {
			b.rows = append(b.rows, int32(i))
		}
	}
	x, n, some := c.x, len(b.rows), len(b.rows) < len(c.target)
	if some {
		c.collect(b.rows)
		x = c.dx
	}
	if c.dw != nil {
		c.precision.logitWeightGrad(c.dw, c.logits, x, n, c.d, c.vocab, accumulate)
	}
	c.precision.logitInputGrad(c.dx, c.logits, c.w, n, c.d, c.vocab, false)
	if some {
		c.spread(b.rows)
	}
}

// collect moves the gradients of the given rows' logits to the front, and their rows of x to
// the front of dx, which is free until it is computed.
func (c *crossEntropy) collect(rows []int32) {
	for to, from := range rows {
		copy(c.logits[to*c.stride:][:c.vocab], c.logits[int(from)*c.stride:])
		copy(c.dx[to*c.d:][:c.d], c.x[int(from)*c.d:])
	}
}

// spread moves the rows at the front of dx to their places, the last first, and clears the
// others.
func (c *crossEntropy) spread(rows []int32) {
	for i := len(c.target) - 1; i >= 0; i-- {
		row, last := c.dx[i*c.d:][:c.d], len(rows)-1
		if last < 0 || int(rows[last]) != i {
			clear(row)
			continue
		}
		copy(row, c.dx[last*c.d:])
		rows = rows[:last]
	}
}
