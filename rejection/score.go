package rejection

import (
	"context"
	"fmt"
	"math"

	"github.com/herd-lm/herd/data/table"
)

// scorer says what responses are worth. What it says of one depends on nothing but
// the row's prompt, meta and reference, and that response.
type scorer interface {
	// score sets Score of every candidate, and what of Reward, Correct and Note it knows.
	score(ctx context.Context, rows []table.Sample) error
	// admits reports a prompt whose responses cannot be judged: a *tooLong, or what
	// is wrong with it.
	admits(p prompt) error
}

// newScorer returns what the settings ask for.
func newScorer(s Settings) (scorer, error) {
	if !s.checks() {
		return newReward(s)
	}
	checker, err := newChecker(s.Check)
	if err != nil || s.Reward == "" {
		return checker, err
	}
	reward, err := newReward(s)
	return combined{checker, reward, s.Combine, s.CheckWeight}, err
}

func newReward(s Settings) (scorer, error) {
	if s.RemoteReward.URL != "" {
		return newRemoteJudge(s.RemoteReward, s.Reward)
	}
	return newJudge(s.Reward)
}

// forget takes back what was said of candidates.
func forget(rows []table.Sample) {
	for _, row := range rows {
		for k := range row.Candidates {
			c := &row.Candidates[k]
			c.Score, c.Reward, c.Correct, c.Note = nil, nil, nil, ""
		}
	}
}

// finite reports a score that is no number: what it came from is broken.
func finite(rows []table.Sample) error {
	for _, row := range rows {
		for _, c := range row.Candidates {
			if math.IsNaN(*c.Score) || math.IsInf(*c.Score, 0) {
				return fmt.Errorf("prompt %s: the score of response %d is %g: the reward model's weights, or what it was trained on, are broken", row.Parents[0], c.K, *c.Score)
			}
		}
	}
	return nil
}
