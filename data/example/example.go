// Package example turns rows into the tokens on which a model computes, under a chat template.
// Weights mark the tokens from which the model learns, and values mark those at which the value
// head is read.
//
// Begin with Document, Chat, Responses and Rewarded for one row, and Load for tables.
package example

import (
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

// Chat returns the example of a conversation. The model learns every token of the assistant's
// turns, including the end of turn, given all tokens before it. A token counts the weight of
// its message.
func Chat(format *template.Format, row table.Chat) (pack.Example, error) {
	format, err := format.WithTools(row.Tools)
	if err != nil {
		return pack.Example{}, err
	}
	rendered, err := format.Chat(row.Messages)
	if err != nil {
		return pack.Example{}, err
	}
	e := pack.Example{Row: row.ID, Prompt: pack.Run{IDs: rendered.IDs, Weight: Weights(rendered, row.Messages)}}
	for _, w := range e.Prompt.Weight {
		e.Norm += float64(w)
	}
	return e, nil
}

// Responses puts several responses to a prompt into one example, so that the model computes the
// prompt, up to the header of the assistant's turn, once. Rendered describes the tokens of each
// response.
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
