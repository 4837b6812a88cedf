package eval

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
)

// The responses of a pair, in order.
const (
	chosen   = 0
	rejected = 1
)

// Rewards measures a reward model on pairs: how often it rewards chosen more than rejected, in all
// and by strength.
func Rewards(ctx context.Context, p *model.Params, tok *tokenizer.Tokenizer, pairs []table.Preference) (Measures, error) {
	kept, examples, long, err := paired(p, tok, pairs, func(e *pack.Example) {
		for i := range e.Responses {
			e.Responses[i].Value = true
		}
	})
	if err != nil {
		return nil, err
	}
	rewards, err := score.Rewards(ctx, p, examples, score.MicroTokens)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	all := count{}
	byStrength := make(map[int]*count)
	for i, r := range rewards {
		won := stat.Win(r[chosen] - r[rejected])
		all.add(won)
		s := kept[i].Strength
		if byStrength[s] == nil {
			byStrength[s] = &count{}
		}
		byStrength[s].add(won)
	}
	m := Measures{"reward_accuracy": all.share()}
	m.leaveOut("pairs/too_long", long, len(pairs))
	for s, c := range byStrength {
		if s > 0 {
			m[fmt.Sprintf("reward_accuracy/strength_%d", s)] = c.share()
		}
	}
	return m, nil
}

// Preferences measures a policy on pairs against a reference: how often the
// implicit reward log p - log ref is higher for chosen than for rejected, and
// the mean margin in nats.
func Preferences(ctx context.Context, p, reference *model.Params, tok *tokenizer.Tokenizer, pairs []table.Preference) (Measures, error) {
	_, examples, long, err := paired(p, tok, pairs, func(e *pack.Example) {
		for i := range e.Responses {
			e.Responses[i].SeqWeight = ones(len(e.Responses[i].IDs))
		}
	})
	if err != nil {
		return nil, err
	}
	policy, err := score.Sequences(ctx, p, examples, score.MicroTokens)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	ref, err := score.Sequences(ctx, reference, examples, score.MicroTokens)
	if err != nil {
		return nil, fmt.Errorf("eval: reference: %w", err)
	}
	var right count
	margins := make([]float64, len(policy))
	for i := range policy {
		margins[i] = (policy[i][chosen] - ref[i][chosen]) - (policy[i][rejected] - ref[i][rejected])
		right.add(stat.Win(margins[i]))
	}
	m := Measures{"preference_accuracy": right.share(), "preference_margin": stat.Mean(margins)}
	m.leaveOut("pairs/too_long", long, len(pairs))
	return m, nil
}

// paired returns the pairs that fit the model, as examples that read prepares, and how many are
// too long.
func paired(p *model.Params, tok *tokenizer.Tokenizer, pairs []table.Preference, read func(*pack.Example)) (kept []table.Preference, examples []pack.Example, long int, err error) {
	format, err := template.New(tok)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("eval: %w", err)
	}
	format = format.WithReasoning(template.LearnReasoning)
	for _, row := range pairs {
		chats, err := format.WithTools(row.Tools)
		if err != nil {
			return nil, nil, 0, fmt.Errorf("eval: row %s: %w", row.ID, err)
		}
		e, _, err := example.Responses(chats, row.ID, row.Prompt, row.Chosen, row.Rejected)
		if err != nil {
			return nil, nil, 0, fmt.Errorf("eval: row %s: %w", row.ID, err)
		}
		if len(e.Prompt.IDs)+max(len(e.Responses[chosen].IDs), len(e.Responses[rejected].IDs)) > p.Config.Context() {
			long++
			continue
		}
		read(&e)
		kept, examples = append(kept, row), append(examples, e)
	}
	if len(examples) == 0 {
		return nil, nil, long, fmt.Errorf("eval: none of %d preferences fits the model's %d positions", len(pairs), p.Config.Context())
	}
	return kept, examples, long, nil
}

func ones(n int) []float32 {
	w := make([]float32, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

type count struct {
	sum float64
	n   int
}

func (c *count) add(x float64) { c.sum, c.n = c.sum+x, c.n+1 }

func (c *count) share() stat.Measure { return stat.Proportion(c.sum, c.n) }
