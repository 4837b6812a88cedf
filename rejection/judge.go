package rejection

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/chat"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/score"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/tokenizer"
	"github.com/herd-lm/herd/data"
	"github.com/herd-lm/herd/data/example"
)

// judge scores candidates with a reward model, which has a tokenizer of its own.
type judge struct {
	params *model.Params
	format *chat.Format
}

func newJudge(dir string) (*judge, error) {
	at, err := model.Locate(dir, "")
	if err != nil {
		return nil, err
	}
	tok, err := tokenizer.Load(at.Tokenizer())
	if err != nil {
		return nil, err
	}
	format, err := chat.New(tok)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	c, err := at.Config()
	if err != nil {
		return nil, err
	}
	if !c.IsReward() {
		return nil, fmt.Errorf("%s is no reward model: config.json names %v", dir, c.Architectures)
	}
	params, err := at.Load(false)
	return &judge{params, format}, err
}

// score sets the score of every candidate. All candidates of a prompt share its
// tokens.
func (j *judge) score(ctx context.Context, rows []data.Sample) error {
	examples := make([]pack.Example, len(rows))
	longest := score.MicroTokens
	for i, row := range rows {
		var err error
		if examples[i], err = j.example(row); err != nil {
			return fmt.Errorf("prompt %s: %w", row.Parents[0], err)
		}
		longest = max(longest, examples[i].Tokens())
	}
	rewards, err := score.Rewards(ctx, j.params, examples, longest)
	if err != nil {
		return err
	}
	for i := range rows {
		for k := range rows[i].Candidates {
			rows[i].Candidates[k].Score = &rewards[i][k]
		}
	}
	return nil
}

func (j *judge) example(row data.Sample) (pack.Example, error) {
	var responses [][]token.Message
	for _, c := range row.Candidates {
		responses = append(responses, example.Reply(c.Text))
	}
	return example.Rewarded(j.format, row.ID, row.Prompt, responses...)
}

// Best returns the index of the candidate with the highest score, the first of
// equals. A candidate that was cut off loses to any that ended by itself.
func Best(candidates []data.Candidate) int {
	best := 0
	for i, c := range candidates {
		if better(c, candidates[best]) {
			best = i
		}
	}
	return best
}

// Worst returns the index of the candidate with the lowest score, the first of equals.
func Worst(candidates []data.Candidate) int {
	worst := 0
	for i, c := range candidates {
		if *c.Score < *candidates[worst].Score {
			worst = i
		}
	}
	return worst
}

func better(a, b data.Candidate) bool {
	if aCut, bCut := a.Finish != "stop", b.Finish != "stop"; aCut != bCut {
		return bCut
	}
	return *a.Score > *b.Score
}
