package reward

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/judge"
)

// onServer is a reward model on a server.
type onServer struct {
	server *remote.Reward
	format *template.Format
}

// Dial returns the reward model on a server. The model directory, which needs no weights, has
// its tokenizer and chat template: herd lays out what it sends,
// by the template that layout names if it is not "".
func Dial(s remote.RewardSettings, dir, layout string) (judge.Judge, error) {
	format, err := loadFormat(dir, layout)
	if err != nil {
		return nil, err
	}
	server, err := remote.NewReward(s, format.Tokenizer())
	return &onServer{server, format}, err
}

// Accepts implements judge.Judge. The server decides what is too long.
func (o *onServer) Accepts(q judge.Question) error {
	format, err := o.format.WithTools(q.Tools)
	if err == nil {
		_, err = format.Prompt(q.Prompt)
	}
	return err
}

// Verdicts implements judge.Judge.
func (o *onServer) Verdicts(ctx context.Context, items []judge.Item) ([][]judge.Verdict, error) {
	var texts []string
	for _, item := range items {
		format, err := o.format.WithTools(item.Tools)
		if err != nil {
			return nil, fmt.Errorf("prompt %s: %w", item.ID, err)
		}
		for _, a := range item.Answers {
			before, after, err := format.Continue(item.Prompt, example.Reply(a.Text))
			if err != nil {
				return nil, fmt.Errorf("prompt %s: %w", item.ID, err)
			}
			texts = append(texts, format.Tokenizer().Decode(append(before.IDs, after.IDs...)))
		}
	}
	flat, err := o.server.Score(ctx, texts)
	if err != nil {
		return nil, err
	}
	rewards := make([][]float64, len(items))
	for i, item := range items {
		n := len(item.Answers)
		rewards[i], flat = flat[:n], flat[n:]
	}
	return verdicts(items, rewards)
}
