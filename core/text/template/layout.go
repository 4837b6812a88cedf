package template

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// layout lays out messages and marks the assistant's turns, beginning with message from.
func (f *Format) layout(messages []chat.Message, from int) (r Rendered, turns []turn, err error) {
	c, err := valuesOf(messages)
	if err != nil {
		return r, nil, err
	}
	text, err := f.render(c, false)
	if err != nil {
		return r, nil, err
	}
	partly, err := f.checkDropped(messages, text, from)
	if err != nil {
		return r, nil, err
	}
	if turns, err = f.turns(messages, c, text, from); err != nil {
		return r, nil, err
	}
	r, err = f.mark(text, turns)
	r.Partly = partly
	return r, turns, err
}

// mark encodes a text and marks turns in it, of which it finds the tokens.
func (f *Format) mark(text jinja.Text, turns []turn) (Rendered, error) {
	p, err := f.encodeTurns(text, turns)
	if err != nil {
		return Rendered{}, fmt.Errorf("chat: %w", err)
	}
	if err := f.locate(p, text, turns); err != nil {
		return Rendered{}, err
	}
	return f.classify(p, text, turns), nil
}

// turns returns the assistant's turns, beginning with message from: one for each of its
// messages.
func (f *Format) turns(messages []chat.Message, c conversation, text jinja.Text, from int) ([]turn, error) {
	wanted := 0
	for _, m := range messages[from:] {
		if m.Role == chat.Assistant {
			wanted++
		}
	}
	if wanted == 0 {
		return nil, nil
	}
	if f.turnsErr != nil {
		return nil, f.turnsErr
	}
	if !f.template.MarksGeneration() {
		return f.derived(messages, c, text, from)
	}
	return f.marked(messages, c, text, from)
}

// locate finds the tokens of turns. Each turn must end with the stop token, written by the
// template.
func (f *Format) locate(p tokenizer.Placed, text jinja.Text, turns []turn) error {
	for i := range turns {
		t := &turns[i]
		t.first = firstEnding(p.Ends, t.start+1)
		content := lastByte(text, t.message, t.start)
		t.last = 0
		for k := t.first; k < len(p.IDs) && p.Ends[k] <= t.limit && t.last == 0; k++ {
			if p.Ends[k] > content && p.IDs[k] == f.stop {
				t.last = k + 1
			}
		}
		if t.last == 0 {
			return fmt.Errorf("chat: no %s ends the assistant's message %d: a model could not learn to stop", f.tok.Token(f.stop), t.message)
		}
		if next := t.last + len(f.tail); next <= len(p.IDs) && slices.Equal(p.IDs[t.last:next], f.tail) {
			t.last = next
		}
		if t.end > p.Ends[t.last-1] {
			t.last = firstEnding(p.Ends, t.end) + 1
		}
	}
	return nil
}

// firstEnding returns the index of the first token that ends at byte at or later.
func firstEnding(ends []int, at int) int {
	k, _ := slices.BinarySearch(ends, at)
	return k
}
