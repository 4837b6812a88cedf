package template

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
)

// Dropped reports that a template leaves out text of a message, or the tools.
type Dropped struct {
	Message int    // index of the message, or -1 for the tools
	What    string // "the reasoning", ...
	Text    string // the beginning of what is missing
}

func (e *Dropped) Error() string {
	if e.Message < 0 {
		return "chat: the template does not print the tools of the chat: use a template that does, or leave out the tools"
	}
	return fmt.Sprintf("chat: the template leaves out %s of message %d, from %s on: a model would learn the rest alone", e.What, e.Message, excerpt(e.Text))
}

// checkDropped returns a *Dropped error if the template left out anything but white space of what
// the messages say. from is the first message of the assistant whose words matter; those of
// others always do.
func (f *Format) checkDropped(messages []chat.Message, text jinja.Text, from int) error {
	if f.allowDropped {
		return nil
	}
	written := writtenBy(text)
	if f.values["tools"] != nil && written[fromTools] == "" {
		return &Dropped{Message: -1}
	}
	for i, m := range messages {
		if m.Role == chat.Assistant && i < from {
			continue
		}
		if err := dropped(m, i, written); err != nil {
			return err
		}
	}
	return nil
}

// writtenBy returns for each origin the text of it that the template wrote, without white space.
func writtenBy(text jinja.Text) map[jinja.Origin]string {
	parts := map[jinja.Origin]*strings.Builder{}
	whole, start := text.String(), 0
	for _, r := range text.Runs() {
		o := r.Mark.Origin
		if o != ofTemplate {
			if parts[o] == nil {
				parts[o] = &strings.Builder{}
			}
			parts[o].WriteString(whole[start:r.End])
		}
		start = r.End
	}
	written := make(map[jinja.Origin]string, len(parts))
	for o, b := range parts {
		written[o] = withoutBlanks(b.String())
	}
	return written
}

func withoutBlanks(s string) string {
	return strings.Map(func(r rune) rune {
		if isBlank(r) {
			return -1
		}
		return r
	}, s)
}

// dropped returns a *Dropped error for the first part of message i that the template left out.
func dropped(m chat.Message, i int, written map[jinja.Origin]string) error {
	for _, p := range []struct {
		part part
		what string
		said []string
	}{
		{partContent, "text", []string{m.Content}},
		{partReasoning, "the reasoning", []string{m.Reasoning}},
		{partCalls, "the tool calls", textsOf(m.ToolCalls)},
	} {
		for _, said := range p.said {
			if at, all := missing(said, written[from(i, p.part)]); !all {
				return &Dropped{Message: i, What: p.what, Text: said[at:]}
			}
		}
	}
	return nil
}

// isBlank reports whether a template may strip the character: Python's str.strip counts the
// separators of ASCII too.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// textsOf returns the names and all texts in the arguments of calls.
func textsOf(calls []chat.Call) (texts []string) {
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case []any:
			for _, x := range v {
				collect(x)
			}
		case map[string]any:
			for key, x := range v {
				texts = append(texts, key)
				collect(x)
			}
		}
	}
	for _, call := range calls {
		texts = append(texts, call.Name)
		var arguments any
		if json.Unmarshal([]byte(call.Arguments), &arguments) == nil {
			collect(arguments)
		}
	}
	return texts
}

// missing returns the first byte of said from which on the characters do not occur in written,
// in this order. White space does not count, and written may have more between them, as escapes.
func missing(said, written string) (at int, all bool) {
	for i, r := range said {
		if isBlank(r) {
			continue
		}
		next := strings.IndexRune(written, r)
		if r == unicode.ReplacementChar { // also stands for a byte that is not UTF-8
			continue
		}
		if next < 0 {
			return i, false
		}
		written = written[next+len(string(r)):]
	}
	return 0, true
}
