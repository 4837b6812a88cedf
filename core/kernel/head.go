package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// The head gives each row the logits x·wᵀ over the vocabulary, of which a loss
// wants one log-probability. The logits [r, vocab] of all rows never exist whole.

// logitsRun is how many exponentials are summed in float32; their sums are added
// in float64.
const logitsRun = 512

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
