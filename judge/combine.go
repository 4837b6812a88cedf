package judge

import (
	"context"
	"errors"
	"math"
)

// Ways to combine the scores of a rule and a reward model.
const (
	CorrectFirst = "correct_first" // any correct answer beats any wrong one; the reward ranks answers of equal correctness
	Sum          = "sum"           // the reward plus a weight times the rule's score
)

// Combine returns a judge that uses a rule and a reward model. A verdict has the rule's correctness
// and note, and both the reward and the combined score. With Sum, the score is the reward plus
// weight times the rule's score.
func Combine(rule, reward Judge, by string, weight float64) Judge {
	return combined{rule, reward, by, weight}
}

type combined struct {
	rule, reward Judge
	by           string
	weight       float64 // weight of the rule's score in Sum
}

// Accepts implements Judge: both must accept the question.
func (c combined) Accepts(q Question) error {
	if err := c.rule.Accepts(q); err != nil {
		return err
	}
	return c.reward.Accepts(q)
}

// Verdicts implements Judge.
func (c combined) Verdicts(ctx context.Context, items []Item) ([][]Verdict, error) {
	all, err := c.rule.Verdicts(ctx, items)
	if err != nil {
		return nil, err
	}
	rewards, err := c.reward.Verdicts(ctx, items)
	if err != nil {
		return nil, err
	}
	for i := range all {
		for k := range all[i] {
			if err := c.join(&all[i][k], rewards[i][k].Reward); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// join adds a reward to the rule's verdict.
func (c combined) join(v *Verdict, reward *float64) error {
	if reward == nil {
		return errors.New("judge: a verdict to combine has no reward")
	}
	v.Reward = reward
	if c.by == CorrectFirst {
		v.Score = correctFirst(v.Correct == Correct, *reward)
		return nil
	}
	v.Score = *reward + c.weight*v.Score
	return nil
}

// correctFirst returns 1 if correct, else 0, plus r/(2+2|r|), which is within ±1/2 and grows
// with the reward r.
func correctFirst(correct bool, r float64) float64 {
	score := r / (2 + 2*math.Abs(r))
	if correct {
		score++
	}
	return score
}
