package rejection

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/data/table"
)

// TestPickedScore: the score that a run reports is that of the responses that it picks, by each
// rule.
func TestPickedScore(t *testing.T) {
	plain := drawn(t, "length 9 cut", "stop 1 fair", "stop 2 good", "stop 2 too", "stop 5 verylong", "stop 1.5 good", "stop -3 bad")
	checked := drawn(t, "-stop 3 wrong", "+stop 2 b", "+length 9 cut", "+stop 4 a", "+stop 1 b")
	cut := drawn(t, "length 7 cut", "length 3 too")
	for _, pick := range []Pick{
		{Rule: PickBest}, {Rule: PickBest, CutOff: true}, {Rule: PickBest, MaxTokens: 4}, {Rule: PickBest, MinTokens: 50}, {Rule: PickFraction, Fraction: 0.6},
		{Rule: PickFraction, Fraction: 1, CutOff: true}, {Rule: PickThreshold, Threshold: 2}, {Rule: PickThreshold, Threshold: 60}, {Rule: PickCorrect}, {Rule: PickCorrect, CutOff: true, MinTokens: 2},
	} {
		rows := []table.Sample{plain, checked, cut}
		tally := newTally(len(rows), 7, pick)
		sum, n := 0.0, 0
		for i, row := range rows {
			for _, c := range row.Candidates {
				tally.count(i, c)
			}
			for _, k := range pick.choose(row.Candidates) {
				sum, n = sum+*row.Candidates[k].Score, n+1
			}
		}
		want := 0.0
		if n > 0 {
			want = sum / float64(n)
		}
		if got := tally.progress().PickedScore; math.Abs(got-want) > 1e-12 {
			t.Errorf("%+v: picked score %g, want %g", pick, got, want)
		}
	}
}
