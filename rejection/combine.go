package rejection

import (
	"cmp"
	"context"
	"math"

	"github.com/herd-lm/herd/data/table"
)

// How a checker and a reward model make one score.
const (
	CorrectFirst = "correct_first" // any correct response is above any wrong one; among equals the reward decides
	Sum          = "sum"           // the reward, and check_weight times what the checker says
)

// combined scores by a checker and a reward model. Reward and Correct stay beside
// the score.
type combined struct {
	checker, reward scorer
	rule            string
	weight          float64 // of the checker in a sum
}

// admits implements scorer.
func (c combined) admits(p prompt) error { return cmp.Or(c.checker.admits(p), c.reward.admits(p)) }

// score implements scorer.
func (c combined) score(ctx context.Context, rows []table.Sample) error {
	if err := c.checker.score(ctx, rows); err != nil {
		return err
	}
	var worth []float64 // by the checker, in the order of the responses
	for _, row := range rows {
		for _, r := range row.Candidates {
			worth = append(worth, *r.Score)
		}
	}
	if err := c.reward.score(ctx, rows); err != nil {
		return err
	}
	for _, row := range rows {
		for k := range row.Candidates {
			r := &row.Candidates[k]
			score := *r.Reward + c.weight*worth[0]
			if c.rule == CorrectFirst {
				score = correctFirst(*r.Correct, *r.Reward)
			}
			r.Score, worth = &score, worth[1:]
		}
	}
	return nil
}

// correctFirst returns 1 if correct, else 0, and r/(2+2|r|), which is within ±1/2 and
// grows with the reward r.
func correctFirst(correct bool, r float64) float64 {
	return float64(count(correct)) + r/(2+2*math.Abs(r))
}
