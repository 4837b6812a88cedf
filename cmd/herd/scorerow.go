package main

import (
	"errors"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// scoreRow is a row to score: one text, the answer of a chat, a pair, or the candidates of a
// sample.
type scoreRow struct {
	kind     scoreKind
	id       string // "" for tokens and texts of JSON lines
	examples []pack.Example
}

type scoreKind int

const (
	textRow scoreKind = iota // every token counts
	chatRow                  // the assistant's last message counts
	pairRow                  // chosen and rejected
	sampleRow
)

// textScore is the score of one example as JSON.
type textScore struct {
	ID       string    `json:"id,omitempty"`
	LogProbs []float32 `json:"logprobs,omitempty"` // of a text: one for every token after the first, in nats
	Tokens   int       `json:"tokens,omitempty"`   // of an answer: how many tokens the sum counts
	Sum      *float64  `json:"sum,omitempty"`
	Reward   *float32  `json:"reward,omitempty"`
}

func (s *textScore) logProbs(x []float32) {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	s.LogProbs, s.Tokens, s.Sum = x, len(x), &sum
}

func (s textScore) total() float64 {
	if s.Reward != nil {
		return float64(*s.Reward)
	}
	return *s.Sum
}

// textJSON is the score of a text: the field is there even if no token was scored.
type textJSON struct {
	ID       string    `json:"id,omitempty"`
	LogProbs []float32 `json:"logprobs"`
	Sum      float64   `json:"sum"`
}

// result returns what the row's line of output says.
func (r scoreRow) result(scores []textScore) any {
	if r.kind == textRow && scores[0].Sum != nil {
		return textJSON{r.id, scores[0].LogProbs, *scores[0].Sum}
	}
	for i := range scores {
		scores[i].LogProbs = nil // of an answer, the sum says it
	}
	switch r.kind {
	case pairRow:
		return struct {
			ID       string    `json:"id"`
			Chosen   textScore `json:"chosen"`
			Rejected textScore `json:"rejected"`
		}{r.id, scores[0], scores[1]}
	case sampleRow:
		return struct {
			ID         string      `json:"id"`
			Candidates []textScore `json:"candidates"`
		}{r.id, scores}
	}
	scores[0].ID = r.id
	return scores[0]
}

// layout turns rows into the tokens that the model scores. It loads the tokenizer when a row
// has a text, since tokens need none.
type layout struct {
	dir, template string
	model         model.Config
	tok           *tokenizer.Tokenizer
	format        *template.Format
}

func (l *layout) tokenizer() (*tokenizer.Tokenizer, error) {
	var err error
	if l.tok == nil {
		l.tok, err = template.LoadTokenizer(l.dir, l.template)
	}
	return l.tok, err
}

func (l *layout) chats() (*template.Format, error) {
	tok, err := l.tokenizer()
	if err == nil && l.format == nil {
		if l.format, err = template.New(tok); err == nil {
			l.format = l.format.WithReasoning(template.LearnReasoning)
		}
	}
	return l.format, err
}

// row lays out a row of a table.
func (l *layout) row(stored table.Record) (scoreRow, error) {
	r := scoreRow{id: stored.RowOrigin().ID}
	var err error
	switch row := stored.(type) {
	case *table.Document:
		return l.text(r.id, row.Text)
	case *table.Chat:
		last := len(row.Messages) - 1
		if row.Messages[last].Role != chat.Assistant {
			return r, errors.New("the chat ends without an answer of the assistant: there is nothing to score")
		}
		r.kind = chatRow
		r.examples, err = l.answers(row.Tools, row.Messages[:last], row.Messages[last:])
	case *table.Preference:
		r.kind = pairRow
		r.examples, err = l.answers(row.Tools, row.Prompt, row.Chosen, row.Rejected)
	case *table.Sample:
		r.kind = sampleRow
		replies := make([][]chat.Message, len(row.Candidates))
		for i, c := range row.Candidates {
			replies[i] = example.Reply(c.Text)
		}
		r.examples, err = l.answers(row.Tools, row.Prompt, replies...)
	default:
		err = fmt.Errorf("herd cannot score a row of %s", stored.RowKind())
	}
	return r, err
}

// answers returns an example for each answer to a prompt.
func (l *layout) answers(tools chat.JSON, prompt []chat.Message, answers ...[]chat.Message) (examples []pack.Example, err error) {
	format, err := l.chats()
	if err != nil {
		return nil, err
	}
	if format, err = format.WithTools(tools); err != nil {
		return nil, err
	}
	for _, answer := range answers {
		e, rendered, err := example.Responses(format, "", prompt, answer)
		if err != nil {
			return nil, err
		}
		if l.model.IsReward() {
			e.Responses[0].Value = true
		} else {
			e.Responses[0].Weight = example.Marks(rendered[0].Own)
		}
		if err := l.checkLength(len(e.Prompt.IDs) + len(e.Responses[0].IDs)); err != nil {
			return nil, err
		}
		examples = append(examples, e)
	}
	return examples, nil
}

// text lays out a text, of which every token counts.
func (l *layout) text(id, text string) (scoreRow, error) {
	tok, err := l.tokenizer()
	if err != nil {
		return scoreRow{}, err
	}
	r, err := l.tokens(tok.Prompt(text))
	r.id = id
	return r, err
}

// tokens checks that the model accepts the tokens.
func (l *layout) tokens(ids []token.ID) (scoreRow, error) {
	if err := l.checkLength(len(ids)); err != nil {
		return scoreRow{}, err
	}
	for i, id := range ids {
		if id < 0 || int(id) >= l.model.VocabSize {
			return scoreRow{}, fmt.Errorf("token %d has id %d, outside the model's vocabulary of %d", i+1, id, l.model.VocabSize)
		}
	}
	if !l.model.IsReward() {
		return scoreRow{examples: []pack.Example{pack.Text("", ids)}}, nil
	}
	if len(ids) == 0 {
		return scoreRow{}, errors.New("the line has no tokens: a reward model needs at least one")
	}
	return scoreRow{examples: []pack.Example{{Prompt: pack.Run{IDs: ids, Value: true}}}}, nil
}

func (l *layout) checkLength(tokens int) error {
	if most := l.model.Context(); tokens > most {
		return fmt.Errorf("%d tokens, but the model has %d positions: shorten the text or split it", tokens, most)
	}
	return nil
}
