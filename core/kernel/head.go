package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// The head gives each row the logits x·wᵀ over the vocabulary, of which a loss
// wants one log-probability. The logits [r, vocab] of all rows never exist whole,
// and there are two ways to take them in parts:
//
//   - CrossEntropy takes some rows at a time with all of the vocabulary, and is done
//     with their gradient before the next. For that it must be told the
//     coefficient of each log-probability beforehand.
//   - HeadLogProb and HeadLogProbGrad take all rows with a part of the vocabulary at
//     a time. The gradient computes the logits once more, for any loss.

// Head is the head over R rows, and the logit of each that counts.
type Head struct {
	X        []float32  // [R, D] hidden states
	W        []float32  // [Vocab, D]
	Target   []token.ID // [R] the entry of the vocabulary whose log-probability counts
	D, Vocab int
}

// LogitRow returns how many floats a row of logits takes in scratch: an odd number of
// cache lines, so that rows below each other do not compete for the same few of them, as
// they would for a vocabulary of 4,096 or 49,152.
func LogitRow(vocab int) int { return ((vocab+15)/16 | 1) * 16 }

// logits computes y[n,vocab] = x[n,d] · w[vocab,d]ᵀ, and calls then as LinearThen does. Its
// rows are LogitRow(vocab) apart.
func (f Precision) logits(y, x, w []float32, n, d, vocab int, then func(lo, hi int)) {
	f.multiply(gemm.Product{C: y, Stride: LogitRow(vocab), A: gemm.Rows(x, d), B: gemm.Rows(w, d), M: n, N: vocab, Depth: d, Done: then})
}

// logitInputGrad computes dx[n,d] = dy · w[vocab,d], or adds it to dx. The rows of dy
// [n,vocab] are as logits has them.
func (f Precision) logitInputGrad(dx, dy, w []float32, n, d, vocab int, accumulate bool) {
	f.product(dx, addTo(dx, accumulate), gemm.Rows(dy, LogitRow(vocab)), gemm.Columns(w, d), n, d, vocab)
}

// logitWeightGrad computes dw[vocab,d] = dyᵀ · x[n,d], or adds it to dw. The rows of dy
// [n,vocab] are as logits has them.
func (f Precision) logitWeightGrad(dw, dy, x []float32, n, d, vocab int, accumulate bool) {
	f.product(dw, addTo(dw, accumulate), gemm.Columns(dy, LogitRow(vocab)), gemm.Columns(x, d), vocab, d, n)
}

// logitsRun is how many exponentials are summed in float32; their sums are added
// in float64.
const logitsRun = 512

// expSum sums the exponentials of row over top, which no element exceeds, and leaves
// them in row.
func expSum(row []float32, top float32) (sum float64) {
	for len(row) > 0 {
		run := row[:min(logitsRun, len(row))]
		row = row[len(run):]
		sum += float64(vector.ExpSum(run, top))
	}
	return sum
}

// addExp returns the largest logit of row, or top if that is larger, and the sum
// of the exponentials over it: those of row and sum, which is over top. It leaves
// the exponentials in row, each over the largest logit up to its run.
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
