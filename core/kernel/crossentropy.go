package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// CrossEntropy takes as many rows at a time as have about wholeRowsMost logits,
// within limits: each time it reads all of w and adds to all of dw, which should
// be little beside the products, and more rows would make those no faster.
const (
	wholeRowsMost = 1 << 26
	fewestRows    = 128
	mostRows      = 1024
)

// CrossEntropyScratch returns how many floats of scratch CrossEntropy should be given,
// for r rows or fewer.
func CrossEntropyScratch(r, vocab int) int {
	return min(r, max(fewestRows, min(mostRows, wholeRowsMost/vocab))) * LogitRow(vocab)
}

// CrossEntropy computes logp[r] = log softmax(x·wᵀ)[target[r]] for the rows of
// x[r,d] and w[vocab,d], and returns the loss -Σ weight[r]·logp[r], summed in
// float64. In the same pass it computes the loss's gradients dx[r,d] and
// dw[vocab,d], or adds to dw if accumulate is set. Because the weights are known,
// the logits are needed but once (Liger-Kernel, arXiv 2410.10989, section 3.2).
//
// A frozen w has no dw: pass nil. Without dx there are no gradients at all. Rows
// whose weight is 0 cost the gradients nothing. dx must not overlap x.
//
// logits is scratch of at least LogitRow(vocab) floats; as many rows are taken at a time as
// it has room for, and the sum that is dw is taken in that order. A row's logp
// and dx depend on that row only.
func (f Precision) CrossEntropy(logp, dx, dw, logits, weight, x, w []float32, target []token.ID, d, vocab int, accumulate bool) (loss float64) {
	if len(target) == 0 && !accumulate {
		clear(dw)
	}
	c := crossEntropy{precision: f, d: d, vocab: vocab, stride: LogitRow(vocab), w: w, dw: dw, logits: logits, gradients: dx != nil}
	for i, end := 0, 0; i < len(target); i = end {
		end = i + gemm.Evenly(len(target)-i, len(logits)/c.stride) // a few rows left over would cost as much as many
		c.logp, c.weight, c.target, c.x = logp[i:end], weight[i:end], target[i:end], x[i*d:end*d]
		c.forward()
		if c.gradients {
			c.dx = dx[i*d : end*d]
			c.backward(accumulate || i > 0)
		}
	}
	for i, l := range logp[:len(target)] {
		loss -= float64(weight[i]) * float64(l)
	}
	return loss
}

// crossEntropy is the rows that are taken at a time.
type crossEntropy struct {
	precision    Precision
	d, vocab     int
	stride       int       // from one row of logits to the next
	w, dw        []float32 // [vocab, d]
	logits       []float32 // [rows, vocab], then their gradients
	logp, weight []float32 // [rows]
	target       []token.ID
	x, dx        []float32 // [rows, d]
	gradients    bool      // whether they are wanted
}

func (c *crossEntropy) forward() {
	n := len(c.target)
	c.precision.logits(c.logits, c.x, c.w, n, c.d, c.vocab, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			c.row(i)
		}
	})
}

// row takes the log-probability from the logits of row i, and turns them into
// their gradients: weight·(p − [entry is the target]).
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

// collect moves the gradients of the given rows' logits to the front, and their
// rows of x to the front of dx, which has room until it is computed itself.
func (c *crossEntropy) collect(rows []int32) {
	for to, from := range rows {
		copy(c.logits[to*c.stride:][:c.vocab], c.logits[int(from)*c.stride:])
		copy(c.dx[to*c.d:][:c.d], c.x[int(from)*c.d:])
	}
}

// spread moves the rows at the front of dx to their places, the last first, and
// zeroes the others.
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
