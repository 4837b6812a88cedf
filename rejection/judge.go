package rejection

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// judge scores candidates with a reward model, which has a tokenizer of its own.
type judge struct {
	params *model.Params
	format *template.Format
}

func newJudge(dir string) (*judge, error) {
	at, err := model.Locate(dir, "")
	if err != nil {
		return nil, err
	}
	format, err := template.Load(at.Tokenizer(), "")
	if err != nil {
		return nil, err
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

// admits implements scorer: there must be room for a token of the response.
func (j *judge) admits(p prompt) error {
	ids, err := j.format.Prompt(p.Messages)
	if err != nil {
		return err
	}
	return fits(len(ids), j.params.Config.Context(), "reward model")
}

// score implements scorer. All candidates of a prompt share its tokens.
func (j *judge) score(ctx context.Context, rows []table.Sample) error {
	rewards, err := j.rewards(ctx, rows)
	if err != nil {
		return err
	}
	for i := range rows {
		for k := range rows[i].Candidates {
			c := &rows[i].Candidates[k]
			c.Reward, c.Score = &rewards[i][k], &rewards[i][k]
		}
	}
	return finite(rows)
}

// rewards returns the reward of each candidate of each row.
func (j *judge) rewards(ctx context.Context, rows []table.Sample) ([][]float64, error) {
	examples := make([]pack.Example, len(rows))
	longest := score.MicroTokens
	for i, row := range rows {
		var err error
		if examples[i], err = j.example(row); err != nil {
			return nil, fmt.Errorf("prompt %s: %w", row.Parents[0], err)
		}
		longest = max(longest, examples[i].Tokens())
	}
	return score.Rewards(ctx, j.params, examples, longest)
}

// example lays a row out. Of a response that goes beyond the model's context it
// keeps what fits: that one was cut off anyway, or comes from a policy with more.
func (j *judge) example(row table.Sample) (pack.Example, error) {
	var responses [][]chat.Message
	for _, c := range row.Candidates {
		responses = append(responses, example.Reply(c.Text))
	}
	e, err := example.Rewarded(j.format, row.ID, row.Prompt, responses...)
	room := max(1, j.params.Config.Context()-len(e.Prompt.IDs))
	for i, r := range e.Responses {
		e.Responses[i].IDs = r.IDs[:min(room, len(r.IDs))]
	}
	return e, err
}

// fits reports a prompt after which a model has no position left.
func fits(tokens, context int, whose string) error {
	if tokens < context {
		return nil
	}
	return &tooLong{fmt.Sprintf("the prompt has %d tokens, the %s %d positions: nothing can follow", tokens, whose, context)}
}

// tooLong is what too_long decides about.
type tooLong struct{ what string }

func (e *tooLong) Error() string { return e.what + ": leave it out, or set too_long to " + Skip }
