package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// logitsMost is about how many logits HeadLogProb and its gradient hold at a time. It only
// affects memory: the runs in which exponentials are summed do not depend on it.
const logitsMost = 1 << 21

// chunkOf returns how many entries of the vocabulary are processed at a time for r rows: whole
// runs.
func chunkOf(r, vocab int) int {
	return min(vocab, max(1, logitsMost/max(r, 1)/logitsRun)*logitsRun)
}

// HeadLogProbScratch returns how many floats of scratch HeadLogProb needs for r rows or fewer.
// chunkOf returns at least one whole run, and LogitRow makes its rows a cache line longer.
func HeadLogProbScratch(r, vocab int) int {
	return min(r*LogitRow(vocab), max(logitsMost, r*logitsRun)+r*16)
}

// HeadLogProb computes logp[r] = log softmax(X·Wᵀ)[Target[r]] for each row, and keeps
// lse[r] = log Σ exp(X·Wᵀ) for the gradient. The result of a row depends on that row
// only. scratch holds logits: see HeadLogProbScratch.
func (f Precision) HeadLogProb(logp, lse, scratch []float32, h Head) {
	r := len(h.Target)
	step := chunkOf(r, h.Vocab)
	b := borrow(0)
	defer b.giveBack()
	b.doubles = resized(b.doubles, 2*r)
	top, sum := b.doubles[:r], b.doubles[r:]
	for i := range r {
		top[i], sum[i] = math.Inf(-1), 0
	}
	target := h.Target
	for v := 0; v < h.Vocab; v += step {
		c := min(step, h.Vocab-v)
		stride := LogitRow(c)
		f.logits(scratch, h.X, h.W[v*h.D:], r, h.D, c, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				row := scratch[i*stride:][:c]
				if t := int(target[i]) - v; t >= 0 && t < c {
					logp[i] = row[t]
				}
				top[i], sum[i] = addExp(top[i], sum[i], row)
			}
		})
	}
	for i := range r {
		l := top[i] + math.Log(sum[i])
		lse[i] = float32(l)
		logp[i] = float32(float64(logp[i]) - l)
	}
}

// HeadGrad holds the operands of HeadLogProbGrad besides the Head of R rows, and its results.
type HeadGrad struct {
	DLogP []float32 // [R] gradient of the log-probabilities
	LSE   []float32 // [R] as HeadLogProb kept it

	DX []float32 // [R, D] result: gradient of X
	DW []float32 // [Vocab, D] result: gradient of W; nil if W is frozen
	// Accumulate adds to DW instead of setting it.
	Accumulate bool

	Scratch []float32 // see HeadLogProbGradScratch
}

// HeadLogProbGradScratch returns how many floats of scratch HeadLogProbGrad
// needs for r rows or fewer.
func HeadLogProbGradScratch(r, d, vocab int) int { return HeadLogProbScratch(r, vocab) + r*(2*d+2) }

// HeadLogProbGrad computes the gradients of what HeadLogProb computed. It computes the
// logits again. Rows whose DLogP is 0 cost nothing.
func (f Precision) HeadLogProbGrad(h Head, o HeadGrad) {
	g := headGrad{precision: f, d: h.D, vocab: h.Vocab, memory: borrow(0)}
	defer g.memory.giveBack()
	g.collect(h, o)
	g.step = chunkOf(len(g.rows), h.Vocab)
	for v := 0; v < h.Vocab; v += g.step {
		g.chunk(o.DW, h.W, v, min(g.step, h.Vocab-v), o.Accumulate)
	}
	g.spread(o.DX, len(h.Target))
}

// headGrad is the gradient of the head for the rows whose DLogP is not 0.
type headGrad struct {
	precision      Precision
	memory         *buffer
	d, vocab, step int
	rows           []int32    // indices of these rows
	target         []token.ID // of each of them
	g, lse         []float32  // of each of them
	x, dx          []float32  // [rows, d]
	logits         []float32  // room for [rows, step]
}

func (h *headGrad) collect(head Head, o HeadGrad) {
	b, scratch := h.memory, o.Scratch
	b.rows, b.ids = b.rows[:0], b.ids[:0]
	for i, g := range o.DLogP[:len(head.Target)] {
		if g != 0 {
			b.rows, b.ids = append(b.rows, int32(i)), append(b.ids, head.Target[i])
		}
	}
	h.rows, h.target = b.rows, b.ids
	r := len(h.rows)
	h.g, h.lse, h.x, h.dx = cut(&scratch, r), cut(&scratch, r), cut(&scratch, r*h.d), cut(&scratch, r*h.d)
	h.logits = scratch
	Gather(h.g, o.DLogP, h.rows, 1)
	Gather(h.lse, o.LSE, h.rows, 1)
	Gather(h.x, head.X, h.rows, h.d)
	clear(h.dx)
}

// chunk handles the vocabulary's entries [v, v+c).
func (h *headGrad) chunk(dw, w []float32, v, c int, accumulate bool) {
	r, d := len(h.rows), h.d
	part, stride := w[v*d:][:c*d], LogitRow(c)
	h.precision.logits(h.logits, h.x, part, r, d, c, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			h.logitGrads(h.logits[i*stride:][:c], i, v)
		}
	})
	h.precision.logitInputGrad(h.dx, h.logits, part, r, d, c, true)
	if dw != nil {
		h.precision.logitWeightGrad(dw[v*d:][:c*d], h.logits, h.x, r, d, c, accumulate)
	}
}

// logitGrads turns the logits of entries v and later into their gradients:
// g·([entry is the target] − p).
func (h *headGrad) logitGrads(row []float32, i, v int) {
	vector.ExpSum(row, h.lse[i])
	vector.Scale(row, -h.g[i])
	if t := int(h.target[i]) - v; t >= 0 && t < len(row) {
		row[t] += h.g[i]
	}
}

// spread writes the rows of dx that have a gradient, and zeroes the others.
func (h *headGrad) spread(dx []float32, r int) {
	clear(dx[:r*h.d])
	for i, row := range h.rows {
		copy(dx[int(row)*h.d:], h.dx[i*h.d:][:h.d])
	}
}
