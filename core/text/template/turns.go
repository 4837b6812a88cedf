package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
)

// turn is one message of the assistant: its bytes in the text, and its tokens.
type turn struct {
	message     int
	start, end  int // bytes [start, end); the end of turn may follow
	limit       int // byte before which the end of turn must come
	first, last int // tokens [first, last), with the end of turn
}

// marked returns the assistant's turns, beginning with message from, as the template marks
// them with {% generation %}.
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
		return nil, fmt.Errorf("chat: the template marks %d turns with {%% generation %%}, but the assistant has another number of messages", len(turns))
	}
	turns = slices.DeleteFunc(turns, func(t turn) bool { return t.message < from })
	if from == 0 {
		return turns, nil
	}
	start, err := f.begin(c.first(from), text)
	if err == nil && start != turns[0].start {
		err = fmt.Errorf("{%% generation %%} does not begin where the generation prompt ends")
	}
	if err != nil {
		return nil, fmt.Errorf("chat: cannot find where the response begins: %w", err)
	}
	return turns, nil
}

// generated returns the parts of text that the template wrote within {% generation %}. The end
// of a turn may follow, up to the content of the next message.
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

// derived returns the assistant's turns, beginning with message from, of a template without
// {% generation %}. It compares the renderings of the messages before a turn, of the messages
// up to it, and of all messages.
func (f *Format) derived(messages []chat.Message, c conversation, text jinja.Text, from int) ([]turn, error) {
	var turns []turn
	for i := from; i < len(messages); i++ {
		if messages[i].Role != chat.Assistant {
			continue
		}
		t := turn{message: i, limit: len(text.String())}
		var err error
		if t.start, err = f.begin(c.first(i), text); err != nil {
			return nil, fmt.Errorf("chat: cannot find the assistant's words in message %d: %w", i, err)
		}
		if i < len(messages)-1 {
			until, err := f.render(c.first(i+1), false)
			if err != nil {
				return nil, fmt.Errorf("chat: cannot find the end of message %d: %w", i, err)
			}
			t.limit = commonPrefix(until.String(), text.String())
		}
		t.end = max(t.start, lastByte(text, i, t.start))
		if t.end > t.limit {
			return nil, fmt.Errorf("chat: cannot find the assistant's words in message %d: the template writes them differently when more messages follow", i)
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// begin returns the byte at which the assistant's words begin after the messages before: the
// end of the prompt that a model would get there.
func (f *Format) begin(before conversation, text jinja.Text) (int, error) {
	if len(before.messages) == 0 { // many templates cannot render a chat without messages
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
		return 0, fmt.Errorf("the template gives the model %s to continue from, but writes %s there in the whole chat", excerpt(given.String()[n:]), excerpt(text.String()[n:]))
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

// firstByte returns the first byte of what a message says, or the end of the text.
func firstByte(text jinja.Text, message int) int {
	start := 0
	for _, r := range text.Runs() {
		if m, p := messageOf(r.Mark.Origin); p.isSaid() && m == message {
			break
		}
		start = r.End
	}
	return start
}

// lastByte returns the end of what a message says, or missing if the text has none of it.
func lastByte(text jinja.Text, message, missing int) int {
	end := missing
	for _, r := range text.Runs() {
		if m, p := messageOf(r.Mark.Origin); p.isSaid() && m == message {
			end = r.End
		}
	}
	return end
}
