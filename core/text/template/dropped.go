package template

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
)

// Dropped reports that a template leaves out text of a message, or of the tools.
type Dropped struct {
	Message int    // index of the message, or -1 for the tools
	What    string // "the reasoning", ...
	Text    string // the beginning of what is missing
}

func (e *Dropped) Error() string {
	switch {
	case e.Message >= 0:
		return fmt.Sprintf("chat: the template leaves out %s of message %d, from %s on: a model would learn the rest alone", e.What, e.Message, excerpt(e.Text))
	case e.Text == "":
		return "chat: the template does not print the tools of the chat: use a template that does, or leave out the tools"
	}
	return fmt.Sprintf("chat: the template leaves out a part of the tools, from %s on: use a template that prints them, or leave out the tools", excerpt(e.Text))
}

// checkDropped returns a *Dropped error if the template left out anything but white space of what
// the messages say, or partly if AllowDropped accepts that. Of what the assistant said before message
// from, the reasoning may be missing: many templates show a model only that of its latest turn.
func (f *Format) checkDropped(messages []chat.Message, text jinja.Text, from int) (partly bool, err error) {
	err = f.findDropped(messages, text, from)
	if err != nil && f.allowDropped {
		return true, nil
	}
	return false, err
}

func (f *Format) findDropped(messages []chat.Message, text jinja.Text, from int) error {
	w := writtenBy(text)
	if err := f.droppedTools(w); err != nil {
		return err
	}
	for i, m := range messages {
		if m.Role == chat.Assistant && i < from {
			m = withoutReasoning(m)
		}
		if err := dropped(m, i, w); err != nil {
			return err
		}
	}
	return nil
}

// withoutReasoning returns the message without what the assistant thought, which may also stand
// in the content, before </think>.
func withoutReasoning(m chat.Message) chat.Message {
	m.Reasoning = ""
	if _, answer, ok := strings.Cut(m.Content, ThinkEnd); ok {
		m.Content = answer
	}
	return m
}

// written is what a template wrote.
type written struct {
	text  jinja.Text
	parts map[jinja.Origin]string // of each origin, without white space
}

func writtenBy(text jinja.Text) written {
	builders := map[jinja.Origin]*strings.Builder{}
	whole, start := text.String(), 0
	for _, r := range text.Runs() {
		o := r.Mark.Origin
		if o != ofTemplate {
			if builders[o] == nil {
				builders[o] = &strings.Builder{}
			}
			builders[o].WriteString(whole[start:r.End])
		}
		start = r.End
	}
	w := written{text, make(map[jinja.Origin]string, len(builders))}
	for o, b := range builders {
		w.parts[o] = withoutBlanks(b.String())
	}
	return w
}

// around returns the text from the first that came from o up to text of another origin behind it.
// Numbers, which have no origin, are within.
func (w written) around(o jinja.Origin) string {
	whole, start, from := w.text.String(), 0, -1
	for _, r := range w.text.Runs() {
		switch at := r.Mark.Origin; {
		case at == o && from < 0:
			from = start
		case at != o && at != ofTemplate && from >= 0:
			return whole[from:start]
		}
		start = r.End
	}
	if from < 0 {
		return ""
	}
	return whole[from:]
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
func dropped(m chat.Message, i int, w written) error {
	for _, p := range []struct {
		part part
		what string
		said string
	}{{partContent, "text", w.withoutTags(m.Content, i)}, {partReasoning, "the reasoning", m.Reasoning}} {
		if at, all := missing(p.said, w.parts[from(i, p.part)]); !all {
			return &Dropped{Message: i, What: p.what, Text: p.said[at:]}
		}
	}
	for k, call := range m.ToolCalls {
		if lost, ok := droppedCall(call, fromCall(i, k), w); ok {
			return &Dropped{Message: i, What: "the tool calls", Text: lost}
		}
	}
	return nil
}

// withoutTags returns the content of message i without the marks of a thought, if the template, like
// that of Qwen 3, takes the thought out of the content and writes the marks itself.
func (w written) withoutTags(content string, i int) string {
	thought, answer, ok := strings.Cut(content, ThinkEnd)
	if !ok || strings.Contains(w.parts[from(i, partContent)], ThinkEnd) || !strings.Contains(w.around(from(i, partContent)), ThinkEnd) {
		return content
	}
	return strings.TrimPrefix(strings.TrimSpace(thought), thinkBegin) + answer
}

// isBlank reports whether a template may strip the character: Python's str.strip counts the
// separators of ASCII too.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// missing returns the first byte of said from which on the characters do not occur in written,
// in this order. White space does not count, and written may have more between them, as escapes.
func missing(said, written string) (at int, all bool) {
	for i, r := range said {
		if isBlank(r) || r == unicode.ReplacementChar { // which also stands for a byte that is not UTF-8
			continue
		}
		next := strings.IndexRune(written, r)
		if next < 0 {
			return i, false
		}
		written = written[next+len(string(r)):]
	}
	return 0, true
}
