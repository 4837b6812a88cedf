package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
)

// turn is what the assistant says at one go: bytes of the text, then tokens.
type turn struct {
	message     int
	start, end  int // bytes; the end of turn may come behind
	limit       int // of the end of turn
	first, last int // tokens [first, last), the end of turn among them
}

// marked returns the assistant's turns from message on as the template marks them
// by {% generation %}.
func (f *Format) marked(messages []chat.Message, c conversation, text jinja.Text, from int) ([]turn, error) {
	turns := generated(text)
	i := 0
	for m := range messages {
		if messages[m].Role == chat.Assistant && i < len(turns) {
			turns[i].message = m
			i++
		} else if messages[m].Role == chat.Assistant {
			i = len(turns) + 1
		}
	}
	if i != len(turns) {
		return nil, fmt.Errorf("chat: the template marks %d turns by {%% generation %%}, not as many as messages are the assistant's", len(turns))
	}
	turns = slices.DeleteFunc(turns, func(t turn) bool { return t.message < from })
	if from == 0 {
		return turns, nil
	}
	start, err := f.begin(c.first(from), text)
	if err == nil && start != turns[0].start {
		err = fmt.Errorf("{%% generation %%} does not begin where the model is to go on from")
	}
	if err != nil {
		return nil, fmt.Errorf("chat: where the response begins cannot be told: %w", err)
	}
	return turns, nil
}

// generated returns the parts of text that were written within {% generation %}.
// The end of a turn may follow, before the next message says anything.
func generated(text jinja.Text) []turn {
	var turns []turn
	start := 0
	for _, r := range text.Runs() {
		last := len(turns) - 1
		switch m, _ := messageOf(r.Mark.Origin); {
		case r.Mark.Generated && (last < 0 || turns[last].end < start):
			turns = append(turns, turn{start: start, end: r.End, limit: len(text.String())})
		case r.Mark.Generated:
			turns[last].end = r.End
		case last >= 0 && m >= 0:
			turns[last].limit = min(turns[last].limit, start)
		}
		start = r.End
	}
	return turns
}

// derived returns the assistant's turns from message on, found by comparing what
// the template makes of the messages before a turn, those up to it, and all.
func (f *Format) derived(messages []chat.Message, c conversation, text jinja.Text, from int) ([]turn, error) {
	var turns []turn
	for i := from; i < len(messages); i++ {
		if messages[i].Role != chat.Assistant {
			continue
		}
		t := turn{message: i, limit: len(text.String())}
		var err error
		if t.start, err = f.begin(c.first(i), text); err != nil {
			return nil, fmt.Errorf("chat: what the assistant says in message %d cannot be told: %w", i, err)
		}
		if i < len(messages)-1 {
			until, err := f.render(c.first(i+1), false)
			if err != nil {
				return nil, fmt.Errorf("chat: where message %d ends cannot be told: %w", i, err)
			}
			t.limit = commonPrefix(until.String(), text.String())
		}
		t.end = max(t.start, lastByte(text, i, t.start))
		if t.end > t.limit {
			return nil, fmt.Errorf("chat: what the assistant says in message %d cannot be told: the template writes it differently when more messages follow", i)
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// begin returns where the assistant begins to speak after the messages before:
// behind what a model would be given then.
func (f *Format) begin(before conversation, text jinja.Text) (int, error) {
	if len(before.messages) == 0 { // many templates cannot do that
		at := strings.Index(text.String(), f.prompt)
		if f.prompt == "" || at < 0 || at >= firstByte(text, 0) {
			return 0, fmt.Errorf("there is no %q before the first message", f.prompt)
		}
		return at + len(f.prompt), nil
	}
	given, err := f.render(before, true)
	if err != nil {
		return 0, err
	}
	if n := commonPrefix(given.String(), text.String()); n < len(given.String()) {
		return 0, fmt.Errorf("the template gives the model %s to go on from, but makes %s of it in the whole chat", excerpt(given.String()[n:]), excerpt(text.String()[n:]))
	}
	return len(given.String()), nil
}

func excerpt(s string) string {
	if s == "" {
		return "nothing more"
	}
	return fmt.Sprintf("%.40q", s)
}

func commonPrefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// firstByte returns where the first byte that a message says begins, or the end.
func firstByte(text jinja.Text, message int) int {
	start := 0
	for _, r := range text.Runs() {
		if m, said := messageOf(r.Mark.Origin); said && m == message {
			break
		}
		start = r.End
	}
	return start
}

// lastByte returns the end of the last byte that a message says, or missing.
func lastByte(text jinja.Text, message, missing int) int {
	end := missing
	for _, r := range text.Runs() {
		if m, said := messageOf(r.Mark.Origin); said && m == message {
			end = r.End
		}
	}
	return end
}
