package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
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
