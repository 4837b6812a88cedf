package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/data/view"
)

// maskView prints rows as tokens and marks those that a model would learn.
type maskView struct {
	model, template string
	reasoning       string // template.Reasoning
	json, noColor   bool

	format *template.Format
	out    *bufio.Writer // keeps the first error until Flush
	colour bool
}

// maskedRow is the JSON form of a row.
type maskedRow struct {
	ID    string       `json:"id"`
	Parts []maskedPart `json:"parts"` // the chat or its turns, or the prompt and its responses
}

type maskedPart struct {
	Name   string        `json:"name"`
	Tokens []maskedToken `json:"tokens"`
}

type maskedToken struct {
	ID     token.ID `json:"id"`
	Text   string   `json:"text"`
	Kind   string   `json:"kind"` // header, thought, content or end_of_turn
	Turn   int32    `json:"turn"` // index of the message, -1 before the first
	Learnt bool     `json:"learnt"`
	Weight float32  `json:"weight,omitempty"` // what it counts in the loss, unless that is 1 or nothing
}

var kindNames = [...]string{template.Header: "header", template.Thought: "thought", template.Content: "content", template.EndOfTurn: "end_of_turn"}

// show prints n rows, beginning with row from; n of 0 prints all rows that follow.
func (m *maskView) show(w io.Writer, path string, from, n int) (err error) {
	if m.format, err = template.Load(m.model, m.template); err != nil {
		return err
	}
	m.format = m.format.WithReasoning(template.Reasoning(m.reasoning))
	m.out = bufio.NewWriter(w)
	m.colour = isTerminal(w) && !m.noColor && os.Getenv("NO_COLOR") == ""
	kind, _, err := table.KindOf(path)
	if err != nil {
		return err
	}
	if kind != table.Chats && kind != table.Preferences {
		return fmt.Errorf("%s holds %s: only chats and preferences have assistant messages to learn", path, kind)
	}
	err = view.Rows(path, from, n, func(number int, row table.Record) error {
		id := row.RowOrigin().ID
		parts, err := m.parts(row)
		if err != nil {
			return fmt.Errorf("%s: row %s: %w", path, id, err)
		}
		return m.print(number, maskedRow{id, parts})
	})
	if err != nil {
		return err
	}
	return m.out.Flush()
}

// parts splits a row into the chat, or the prompt and its responses.
func (m *maskView) parts(row table.Record) ([]maskedPart, error) {
	switch r := row.(type) {
	case *table.Chat:
		return m.chat(*r)
	case *table.Preference:
		return m.preference(*r)
	}
	return nil, fmt.Errorf("a row of %s has no assistant messages", row.RowKind())
}

func (m *maskView) chat(row table.Chat) (parts []maskedPart, err error) {
	format, err := m.format.WithTools(row.Tools)
	if err != nil {
		return nil, err
	}
	turns, err := format.Turns(row.Messages)
	for _, r := range turns {
		parts = append(parts, m.part("chat", r, row.Messages))
	}
	for i := range turns {
		if len(turns) > 1 {
			parts[i].Name = fmt.Sprintf("turn %d of %d", i+1, len(turns))
		}
	}
	return parts, err
}

func (m *maskView) preference(row table.Preference) (parts []maskedPart, err error) {
	format, err := m.format.WithTools(row.Tools)
	if err != nil {
		return nil, err
	}
	for _, response := range []struct {
		name     string
		messages []chat.Message
	}{{"chosen", row.Chosen}, {"rejected", row.Rejected}, {"edited", row.Edited}} {
		if len(response.messages) == 0 {
			continue
		}
		before, after, err := format.Continue(row.Prompt, response.messages)
		if err != nil {
			return nil, err
		}
		if parts == nil {
			parts = append(parts, m.part("prompt", before, row.Prompt))
		}
		parts = append(parts, m.part(response.name, after, slices.Concat(row.Prompt, response.messages)))
	}
	return parts, nil
}

// part shows tokens of the messages that r.Turn counts.
func (m *maskView) part(name string, r template.Rendered, messages []chat.Message) maskedPart {
	p := maskedPart{Name: name}
	for i, w := range example.Weights(r, messages) {
		id := r.IDs[i]
		t := maskedToken{ID: id, Text: m.format.Tokenizer().Token(id), Kind: kindNames[r.Kind[i]], Turn: r.Turn[i], Learnt: w != 0}
		if w != 1 {
			t.Weight = w
		}
		p.Tokens = append(p.Tokens, t)
	}
	return p
}

func (m *maskView) print(number int, row maskedRow) error {
	if m.json {
		return jsonLines(m.out).Encode(row)
	}
	fmt.Fprintf(m.out, "=== row %d  %s\n", number, visible(row.ID))
	for _, p := range row.Parts {
		learnt, weighted := 0, 0
		for _, t := range p.Tokens {
			if t.Learnt {
				learnt++
			}
			if t.Weight != 0 {
				weighted++
			}
		}
		note := ""
		if weighted > 0 {
			note = fmt.Sprintf(", %d of them with another weight than 1", weighted)
		}
		fmt.Fprintf(m.out, "--- %s  %d tokens, %d learnt%s\n%s\n", p.Name, len(p.Tokens), learnt, note, m.line(p.Tokens))
	}
	_, err := fmt.Fprintln(m.out)
	return err
}

// Terminal colours (SGR) of learnt tokens, of their end of turn, and of the template's text.
const (
	learntColour = "\x1b[32m"
	endColour    = "\x1b[1;32m"
	headerColour = "\x1b[2m"
	plainColour  = "\x1b[0m"
)

// line joins tokens with dots, and begins a new line after each token that ends one.
func (m *maskView) line(tokens []maskedToken) string {
	var b strings.Builder
	for i, t := range tokens {
		text := visible(t.Text)
		before := i > 0 && tokens[i-1].Learnt
		after := i+1 < len(tokens) && tokens[i+1].Learnt
		if !m.colour && t.Learnt && !before {
			b.WriteString("[")
		}
		b.WriteString(m.painted(t, text))
		if !m.colour && t.Learnt && !after {
			b.WriteString("]")
		}
		switch {
		case i == len(tokens)-1:
		case strings.HasSuffix(t.Text, "\n"):
			b.WriteString("\n")
		default:
			b.WriteString("·")
		}
	}
	return b.String()
}

func (m *maskView) painted(t maskedToken, text string) string {
	colour := ""
	switch {
	case !m.colour:
		return text
	case t.Learnt && t.Kind == kindNames[template.EndOfTurn]:
		colour = endColour
	case t.Learnt:
		colour = learntColour
	case t.Kind == kindNames[template.Header], t.Kind == kindNames[template.EndOfTurn]:
		colour = headerColour
	default:
		return text
	}
	return colour + text + plainColour
}

// visible escapes invisible characters as Go does: control characters, bidirectional marks, and
// bytes of an incomplete character.
func visible(s string) string {
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
