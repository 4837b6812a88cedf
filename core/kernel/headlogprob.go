package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// logitsMost is about how many logits HeadLogProb and its gradient have at a
// time. That is a matter of memory; in which runs their exponentials are summed
// is not, and does not depend on it.
const logitsMost = 1 << 21

// chunkOf returns how many entries of the vocabulary are taken at a time for r
// rows: whole runs.
func chunkOf(r, vocab int) int {
	return min(vocab, max(1, logitsMost/max(r, 1)/logitsRun)*logitsRun)
}

// HeadLogProbScratch returns how many floats of scratch HeadLogProb needs for r
// rows or fewer: chunkOf takes whole runs, but at least one, of which LogitRow makes rows
// that are a cache line longer.
func HeadLogProbScratch(r, vocab int) int {
	return min(r*LogitRow(vocab), max(logitsMost, r*logitsRun)+r*16)
}

// HeadLogProb computes logp[r] = log softmax(x·wᵀ)[target[r]] for the rows of
// x[r,d] and w[vocab,d], and keeps lse[r] = log Σ exp(x·wᵀ) for the gradient. A
// row's result depends on that row only. scratch holds logits (HeadLogProbScratch).
func (f Precision) HeadLogProb(logp, lse, scratch, x, w []float32, target []token.ID, d, vocab int) {
	r := len(target)
	step := chunkOf(r, vocab)
	b := borrow(0)
	defer b.giveBack()
	b.doubles = resized(b.doubles, 2*r)
	top, sum := b.doubles[:r], b.doubles[r:]
	for i := range r {
		top[i], sum[i] = math.Inf(-1), 0
	}
	for v := 0; v < vocab; v += step {
		c := min(step, vocab-v)
		stride := LogitRow(c)
		f.logits(scratch, x, w[v*d:], r, d, c, func(lo, hi int) {
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

// HeadLogProbGradScratch returns how many floats of scratch HeadLogProbGrad
// needs for r rows or fewer.
func HeadLogProbGradScratch(r, d, vocab int) int { return HeadLogProbScratch(r, vocab) + r*(2*d+2) }

// HeadLogProbGrad computes dx[r,d] and dw[vocab,d], or adds to dw if accumulate
// is set, from dlogp[r] and the lse that HeadLogProb kept. A frozen w has no dw:
// pass nil. Rows whose dlogp is 0 cost nothing.
func (f Precision) HeadLogProbGrad(dx, dw, scratch, dlogp, lse, x, w []float32, target []token.ID, d, vocab int, accumulate bool) {
	h := headGrad{precision: f, d: d, vocab: vocab, memory: borrow(0)}
	defer h.memory.giveBack()
	h.collect(scratch, dlogp, lse, x, target)
	h.step = chunkOf(len(h.rows), vocab)
	for v := 0; v < vocab; v += h.step {
		h.chunk(dw, w, v, min(h.step, vocab-v), accumulate)
	}
	h.spread(dx, len(target))
}

// headGrad is the gradient of the head at the rows that have one.
type headGrad struct {
	precision      Precision
	memory         *buffer
	d, vocab, step int
	rows           []int32    // which rows they are
	target         []token.ID // of each
	g, lse         []float32  // of each
	x, dx          []float32  // [rows, d]
	logits         []float32  // room for [rows, step]
}

func (h *headGrad) collect(scratch, dlogp, lse, x []float32, target []token.ID) {
	b := h.memory
	b.rows, b.ids = b.rows[:0], b.ids[:0]
	for i, g := range dlogp[:len(target)] {
		if g != 0 {
			b.rows, b.ids = append(b.rows, int32(i)), append(b.ids, target[i])
		}
	}
	h.rows, h.target = b.rows, b.ids
	r := len(h.rows)
	h.g, h.lse, h.x, h.dx = cut(&scratch, r), cut(&scratch, r), cut(&scratch, r*h.d), cut(&scratch, r*h.d)
	h.logits = scratch
	Gather(h.g, dlogp, h.rows, 1)
	Gather(h.lse, lse, h.rows, 1)
	Gather(h.x, x, h.rows, h.d)
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
