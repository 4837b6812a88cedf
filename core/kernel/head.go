package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// The head gives each row the logits x·wᵀ over the vocabulary, of which a loss needs one
// log-probability. The logits [r, vocab] of all rows never exist at once. There are two ways
// to process them in parts:
//
//   - CrossEntropy processes some rows at a time with the whole vocabulary, and finishes
//     their gradient before the next rows. For that it needs the weight of each
//     log-probability in advance.
//   - HeadLogProb and HeadLogProbGrad process all rows with a part of the vocabulary at a
//     time. The gradient, which works for any loss, computes the logits again.

// Head holds the operands of the head over R rows.
type Head struct {
	X        []float32  // [R, D] hidden states
	W        []float32  // [Vocab, D]
	Target   []token.ID // [R] vocabulary entry of each row whose log-probability is computed
	D, Vocab int
}

// LogitRow returns how many floats a row of logits takes in scratch: an odd number of cache
// lines. With a vocabulary of 4,096 or 49,152, rows would otherwise compete for the same few
// lines of the caches.
func LogitRow(vocab int) int { return ((vocab+15)/16 | 1) * 16 }

// logits computes y[n,vocab] = x[n,d] · w[vocab,d]ᵀ, and calls then as LinearThen does. The
// rows of y are LogitRow(vocab) apart.
func (f Precision) logits(y, x, w []float32, n, d, vocab int, then func(lo, hi int)) {
	f.multiply(gemm.Product{C: y, Stride: LogitRow(vocab), A: gemm.Rows(x, d), B: gemm.Rows(w, d), M: n, N: vocab, Depth: d, Done: then})
}

// logitInputGrad computes dx[n,d] = dy · w[vocab,d], or adds it to dx. dy [n,vocab] has the
// layout of logits.
func (f Precision) logitInputGrad(dx, dy, w []float32, n, d, vocab int, accumulate bool) {
	f.product(dx, addTo(dx, accumulate), gemm.Rows(dy, LogitRow(vocab)), gemm.Columns(w, d), n, d, vocab)
}

// logitWeightGrad computes dw[vocab,d] = dyᵀ · x[n,d], or adds it to dw. dy [n,vocab] has the
// layout of logits.
func (f Precision) logitWeightGrad(dw, dy, x []float32, n, d, vocab int, accumulate bool) {
	f.product(dw, addTo(dw, accumulate), gemm.Columns(dy, LogitRow(vocab)), gemm.Columns(x, d), vocab, d, n)
}

// logitsRun is how many exponentials are summed in float32. Their sums are added in float64.
const logitsRun = 512

// expSum returns the sum of exp(x-top) over the elements x of row, which must not exceed top.
// It leaves the exponentials in row.
func expSum(row []float32, top float32) (sum float64) {
	for len(row) > 0 {
		run := row[:min(logitsRun, len(row))]
		row = row[len(run):]
		sum += float64(vector.ExpSum(run, top))
	}
	return sum
}

// addExp extends a running log-sum-exp by row. top and sum are the largest logit so far and
// the sum of exp(x-top); addExp returns both with row included. It leaves exponentials in row,
// relative to the largest logit up to their run.
func addExp(top, sum float64, row []float32) (float64, float64) {
	for len(row) > 0 {
		run := row[:min(logitsRun, len(row))]
		row = row[len(run):]
		if m := float64(vector.Max(run)); m > top {
			sum *= math.Exp(top - m)
			top = m
		}
		sum += float64(vector.ExpSum(run, float32(top)))
	}
	return top, sum
}
