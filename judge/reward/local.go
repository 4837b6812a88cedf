// Package reward judges answers with a reward model: [Open] loads one from a directory,
// [Dial] asks one on a server. Both lay out prompt and answer by the chat template in the
// reward model's own directory, which may differ from that of the model that answered.
package reward

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/judge"
)

// local is a reward model in this process.
type local struct {
	params *model.Params
	format *template.Format
}

// Open loads the reward model in a directory. layout names a chat template in place of the
// model's own; "" keeps that (template.Choose has the rule).
func Open(dir, layout string) (judge.Judge, error) {
	at, err := model.Locate(dir, "")
	if err != nil {
		return nil, err
	}
	if _, err := template.LoadOver(at.Model, at.Tokenizer(), ""); err != nil {
		return nil, err // an adapter of another model
	}
	format, err := loadFormat(at.Tokenizer(), layout)
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
	return &local{params, format}, err
}

// loadFormat loads the chat template in dir, or the one that layout names. The setting for a
// reward model has a name of its own, because the model that answers has one too.
func loadFormat(dir, layout string) (*template.Format, error) {
	format, err := template.Load(dir, layout)
	if errors.Is(err, template.ErrMissing) {
		return nil, fmt.Errorf("%s: the reward model has no chat template: set reward_template to one of %s", dir, strings.Join(template.Names, ", "))
	}
	if err != nil {
		return nil, err
	}
	return format.WithReasoning(template.LearnReasoning), nil
}

// Accepts implements judge.Judge: there must be room for one token of the answer.
func (l *local) Accepts(q judge.Question) error {
	format, err := l.format.WithTools(q.Tools)
	if err != nil {
		return err
	}
	ids, err := format.Prompt(q.Prompt)
	if err != nil {
		return err
	}
	if positions := l.params.Config.Context(); len(ids) >= positions {
		return &judge.TooLong{Tokens: len(ids), Positions: positions, Model: "reward model"}
	}
	return nil
}

// Verdicts implements judge.Judge. All answers to a question share the tokens of its prompt.
func (l *local) Verdicts(ctx context.Context, items []judge.Item) ([][]judge.Verdict, error) {
	examples := make([]pack.Example, len(items))
	longest := score.MicroTokens
	for i, item := range items {
		var err error
		if examples[i], err = l.example(item); err != nil {
			return nil, fmt.Errorf("prompt %s: %w", item.ID, err)
		}
		longest = max(longest, examples[i].Tokens())
	}
	rewards, err := score.Rewards(ctx, l.params, examples, longest)
	if err != nil {
		return nil, err
	}
	return verdicts(items, rewards)
}

// example lays out a question with its answers. An answer that exceeds the model's context
// loses its end: it was truncated anyway, or comes from a model with a longer context.
func (l *local) example(item judge.Item) (pack.Example, error) {
	var responses [][]chat.Message
	for _, a := range item.Answers {
		responses = append(responses, example.Reply(a.Text))
	}
	format, err := l.format.WithTools(item.Tools)
	if err != nil {
		return pack.Example{}, err
	}
	e, err := example.Rewarded(format, item.ID, item.Prompt, responses...)
	room := max(1, l.params.Config.Context()-len(e.Prompt.IDs))
	for i, r := range e.Responses {
		e.Responses[i].IDs = r.IDs[:min(room, len(r.IDs))]
	}
	return e, err
}

// verdicts makes verdicts of rewards, [items][answers]. A reward that is not finite is an
// error: the model is broken.
func verdicts(items []judge.Item, rewards [][]float64) ([][]judge.Verdict, error) {
	all := make([][]judge.Verdict, len(items))
	for i, item := range items {
		all[i] = make([]judge.Verdict, len(item.Answers))
		for k := range item.Answers {
			r := rewards[i][k]
			if math.IsNaN(r) || math.IsInf(r, 0) {
				return nil, fmt.Errorf("prompt %s: the reward of an answer is %g: the reward model's weights, or the data it was trained on, are broken", item.ID, r)
			}
			all[i][k] = judge.Verdict{Score: r, Reward: &r}
		}
	}
	return all, nil
}
