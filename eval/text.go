package eval

import (
	"context"
	"fmt"
	"math"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
)

// Measures are named measures: "accuracy", "accuracy/maths", "loss".
type Measures map[string]stat.Measure

// Texts measures how well a model predicts documents: the loss in nats per token, and bits per
// byte, which is comparable between vocabularies. It cuts documents into pieces of length tokens.
func Texts(ctx context.Context, p *model.Params, tok *tokenizer.Tokenizer, docs []table.Document, length int) (Measures, error) {
	var examples []pack.Example
	var owner []int // document of each piece
	for i, d := range docs {
		for _, piece := range example.Document(tok, d, length) {
			examples, owner = append(examples, piece), append(owner, i)
		}
	}
	logps, err := score.LogProbs(ctx, p, examples, score.MicroTokens)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	nats, tokens, bytes := make([]float64, len(docs)), make([]float64, len(docs)), make([]float64, len(docs))
	for i, d := range docs {
		bytes[i] = float64(len(d.Text))
	}
	for k, piece := range logps {
		for _, logp := range piece {
			nats[owner[k]] -= float64(logp)
			tokens[owner[k]]++
		}
	}
	bits := make([]float64, len(docs))
	for i := range nats {
		bits[i] = nats[i] / math.Ln2
	}
	return Measures{"loss": stat.Ratio(nats, tokens), "bits_per_byte": stat.Ratio(bits, bytes)}, nil
}

// Chats measures how well a model predicts the assistant's words, reasoning too: the loss in nats per
// token. It leaves out a chat of which a turn is too long.
func Chats(ctx context.Context, p *model.Params, tok *tokenizer.Tokenizer, chats []table.Chat) (Measures, error) {
	format, err := template.New(tok)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	format = format.WithReasoning(template.LearnReasoning)
	var examples []pack.Example
	var owner []int // chat of each example, counted from 0 among those that are measured
	var measured, long, unlearnt int
	for _, c := range chats {
		turns, err := example.Chats(format, c)
		if err != nil {
			return nil, fmt.Errorf("eval: row %s: %w", c.ID, err)
		}
		switch longest, targets := extent(turns); {
		case longest > p.Config.Context():
			long++
		case targets == 0:
			unlearnt++
		default:
			for _, e := range turns {
				examples, owner = append(examples, e), append(owner, measured)
			}
			measured++
		}
	}
	if measured == 0 {
		return nil, fmt.Errorf("eval: no chat can be measured: of %d, %d are longer than the model's %d positions, and %d have no assistant's turn", len(chats), long, p.Config.Context(), unlearnt)
	}
	logps, err := score.LogProbs(ctx, p, examples, score.MicroTokens)
	if err != nil {
		return nil, fmt.Errorf("eval: %w", err)
	}
	nats, tokens := make([]float64, measured), make([]float64, measured)
	for i, turn := range logps {
		for _, logp := range turn {
			nats[owner[i]] -= float64(logp)
		}
		tokens[owner[i]] += float64(len(turn))
	}
	m := Measures{"chat_loss": stat.Ratio(nats, tokens)}
	m.leaveOut("chats/too_long", long, len(chats))
	m.leaveOut("chats/no_turn", unlearnt, len(chats))
	return m, nil
}

// extent returns the length of the longest example, and how many tokens the model has to predict.
func extent(examples []pack.Example) (longest, targets int) {
	for _, e := range examples {
		longest, targets = max(longest, len(e.Prompt.IDs)), targets+e.Targets()
	}
	return longest, targets
}
