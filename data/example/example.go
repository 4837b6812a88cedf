// Package example turns data rows into what a model computes on: tokens under a
// chat template, with what is learnt from them or read out of them.
package example

import (
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/table"
)

// Document returns the pieces of a document, of at most length tokens of input
// each. Every token after the beginning of text is predicted once: the last
// target of a piece is the first input of the next.
func Document(tok *tokenizer.Tokenizer, row table.Document, length int) []pack.Example {
	ids := append(tok.Prompt(row.Text), tok.EOS())
	var pieces []pack.Example
	for start := 0; start+1 < len(ids); start += length {
		end := min(start+length+1, len(ids))
		pieces = append(pieces, pack.Text(row.ID, ids[start:end]))
	}
	return pieces
}

// Chat returns what is learnt from a conversation: every token of the
// assistant's turns, the end of turn included, given all before it.
func Chat(format *template.Format, row table.Chat) (pack.Example, error) {
	rendered, err := format.Chat(row.Messages)
	if err != nil {
		return pack.Example{}, err
	}
	e := pack.Example{Row: row.ID, Prompt: pack.Run{IDs: rendered.IDs, Weight: Marks(rendered.Own)}}
	for _, w := range e.Prompt.Weight {
		e.Norm += float64(w)
	}
	return e, nil
}

// Responses puts several responses to a prompt into one row: the prompt, up to
// the header of the assistant's turn, is computed once. Rendered says which
// tokens of each response are what.
func Responses(format *template.Format, id string, prompt []chat.Message, responses ...[]chat.Message) (pack.Example, []template.Rendered, error) {
	e := pack.Example{Row: id}
	var rendered []template.Rendered
	for _, response := range responses {
		before, after, err := format.Continue(prompt, response)
		if err != nil {
			return e, nil, err
		}
		e.Prompt.IDs = before.IDs
		e.Responses = append(e.Responses, pack.Run{IDs: after.IDs})
		rendered = append(rendered, after)
	}
	return e, rendered, nil
}

// Rewarded is Responses whose last tokens the value head reads.
func Rewarded(format *template.Format, id string, prompt []chat.Message, responses ...[]chat.Message) (pack.Example, error) {
	e, _, err := Responses(format, id, prompt, responses...)
	for i := range e.Responses {
		e.Responses[i].Value = true
	}
	return e, err
}

// Reply is a response of one message.
func Reply(text string) []chat.Message {
	return []chat.Message{{Role: chat.Assistant, Content: text}}
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
