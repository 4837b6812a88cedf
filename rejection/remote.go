package rejection

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// newRemotePolicy returns a policy on a server. The model directory, which needs no
// weights, has its tokenizer and template; without one the server lays chats out.
func newRemotePolicy(s Settings) (*policy, error) {
	p := &policy{}
	if s.Model != "" || s.Adapter != "" {
		at, err := model.Locate(s.Model, s.Adapter)
		if err != nil {
			return nil, err
		}
		if p.tok, p.format, err = loadFormat(at.Tokenizer()); err != nil {
			return nil, err
		}
		p.stop = p.format.Stop()
	}
	var err error
	p.engine, err = remote.New(s.Engine, p.tok)
	return p, err
}

func loadFormat(dir string) (*tokenizer.Tokenizer, *template.Format, error) {
	tok, err := tokenizer.Load(dir)
	if err != nil {
		return nil, nil, err
	}
	format, err := template.New(tok)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", dir, err)
	}
	return tok, format, nil
}

// remoteJudge scores candidates with a reward model on a server. What it is sent is
// laid out by the template in the reward model's directory, which needs no weights.
type remoteJudge struct {
	server *remote.Reward
	tok    *tokenizer.Tokenizer
	format *template.Format
}

func newRemoteJudge(s remote.RewardSettings, dir string) (*remoteJudge, error) {
	tok, format, err := loadFormat(dir)
	if err != nil {
		return nil, err
	}
	server, err := remote.NewReward(s, tok)
	return &remoteJudge{server, tok, format}, err
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
