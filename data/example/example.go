// Package example turns rows into the tokens on which a model computes, under a chat template.
// Weights mark the tokens from which the model learns, and values mark those at which the value
// head is read.
//
// Begin with Document, Chats, Responses and Rewarded for one row, and Load for tables.
package example

import (
	"errors"
	"slices"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/table"
)

// Document returns the pieces of a document, each of at most length input tokens. Every token
// after the beginning of text is a target exactly once: the last target of a piece is the first
// input of the next one.
func Document(tok *tokenizer.Tokenizer, row table.Document, length int) []pack.Example {
	ids := append(tok.Prompt(row.Text), tok.EOS())
	var pieces []pack.Example
	for start := 0; start+1 < len(ids); start += length {
		end := min(start+length+1, len(ids))
		pieces = append(pieces, pack.Text(row.ID, ids[start:end]))
	}
	return pieces
}

// Chats returns the examples of a conversation: one, or one for each turn of the assistant where
// format lays out each by itself (template.LearnReasoning). The model learns every token of the
// assistant's turns, including the end of turn, given all tokens before it. A token counts the
// weight of its message.
func Chats(format *template.Format, row table.Chat) ([]pack.Example, error) {
	format, err := format.WithTools(row.Tools)
	if err != nil {
		return nil, err
	}
	turns, err := format.Turns(row.Messages)
	if err != nil {
		return nil, err
	}
	if len(turns) == 0 {
		return []pack.Example{{Row: row.ID}}, nil // no turn counts
	}
	examples := make([]pack.Example, len(turns))
	for i, r := range turns {
		examples[i] = learnt(row.ID, r, row.Messages)
	}
	return examples, nil
}

func learnt(row string, r template.Rendered, messages []chat.Message) pack.Example {
	e := pack.Example{Row: row, Prompt: pack.Run{IDs: r.IDs, Weight: Weights(r, messages)}, Partly: r.Partly}
	for _, w := range e.Prompt.Weight {
		e.Norm += float64(w)
	}
	return e
}

// ErrPrompts reports responses that need different prompts: the prompts of some models say whether
// the answer begins with reasoning.
var ErrPrompts = errors.New("chat: the template gives a response with reasoning another prompt than one without: give all responses reasoning, or none")

// Responses puts several responses to a prompt into one example, so that the model computes the
// prompt, up to the header of the assistant's turn, once. Rendered describes the tokens of each
// response. It returns ErrPrompts if the prompt has other tokens for one response than for another.
func Responses(format *template.Format, id string, prompt []chat.Message, responses ...[]chat.Message) (pack.Example, []template.Rendered, error) {
	e := pack.Example{Row: id}
	var rendered []template.Rendered
	for _, response := range responses {
		before, after, err := format.Continue(prompt, response)
		if err != nil {
			return e, nil, err
		}
		if e.Prompt.IDs != nil && !slices.Equal(e.Prompt.IDs, before.IDs) {
			return e, nil, ErrPrompts
		}
		e.Prompt.IDs, e.Partly = before.IDs, e.Partly || after.Partly
		e.Responses = append(e.Responses, pack.Run{IDs: after.IDs})
		rendered = append(rendered, after)
	}
	return e, rendered, nil
}

// Rewarded is Responses with the value head read at the last token of each response.
func Rewarded(format *template.Format, id string, prompt []chat.Message, responses ...[]chat.Message) (pack.Example, error) {
	e, _, err := Responses(format, id, prompt, responses...)
	for i := range e.Responses {
		e.Responses[i].Value = true
	}
	return e, err
}

// Reply returns a response of one message.
func Reply(text string) []chat.Message {
	return []chat.Message{{Role: chat.Assistant, Content: text}}
}

// Weights returns for each token the weight of its message where the assistant wrote it, and 0
// elsewhere. messages are those that rendered.Turn counts.
func Weights(rendered template.Rendered, messages []chat.Message) []float32 {
	w := Marks(rendered.Own)
	for i := range w {
		if w[i] != 0 {
			w[i] = float32(messages[rendered.Turn[i]].LossWeight())
		}
	}
	return w
}

// Marks returns 1 where mark is true and 0 elsewhere.
func Marks(mark []bool) []float32 {
	w := make([]float32, len(mark))
	for i, m := range mark {
		if m {
			w[i] = 1
		}
	}
	return w
}
