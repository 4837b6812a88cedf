package rejection

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// remoteJudge scores candidates with a reward model on a server. What it is sent is
// laid out by the template in the reward model's directory, which needs no weights.
type remoteJudge struct {
	server *remote.Reward
	tok    *tokenizer.Tokenizer
	format *template.Format
}

func newRemoteJudge(s remote.RewardSettings, dir string) (*remoteJudge, error) {
	format, err := template.Load(dir, "")
	if err != nil {
		return nil, err
	}
	server, err := remote.NewReward(s, format.Tokenizer())
	return &remoteJudge{server, format.Tokenizer(), format}, err
}

// admits implements scorer. What is too long is up to the server.
func (j *remoteJudge) admits(p prompt) error {
	_, err := j.format.Prompt(p.Messages)
	return err
}

// score implements scorer.
func (j *remoteJudge) score(ctx context.Context, rows []table.Sample) error {
	var texts []string
	for _, row := range rows {
		for _, c := range row.Candidates {
			before, after, err := j.format.Continue(row.Prompt, example.Reply(c.Text))
			if err != nil {
				return fmt.Errorf("prompt %s: %w", row.Parents[0], err)
			}
			texts = append(texts, j.tok.Decode(append(before.IDs, after.IDs...)))
		}
	}
	rewards, err := j.server.Score(ctx, texts)
	if err != nil {
		return err
	}
	for _, row := range rows {
		for k := range row.Candidates {
			c := &row.Candidates[k]
			c.Reward, c.Score, rewards = &rewards[0], &rewards[0], rewards[1:]
		}
	}
	return finite(rows)
}
