package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// Reasoning says what to do with chats that a template does not print as a model writes them. The
// templates of reasoning models do so: they begin an answer with <think>, or drop what was thought
// before </think> once the answer is a part of the chat.
type Reasoning string

const (
	// RefuseReasoning returns a *TurnByTurn error for such chats.
	RefuseReasoning Reasoning = ""
	// LearnReasoning lays out each turn of the assistant by itself, behind the prompt that the
	// template gives for it, with its reasoning as the model writes it.
	LearnReasoning Reasoning = "learn"
	// MaskReasoning is LearnReasoning, but no reasoning is the assistant's own, in any chat.
	MaskReasoning Reasoning = "mask"
)

// Validate returns an error for an unknown value.
func (r Reasoning) Validate() error {
	if r != RefuseReasoning && r != LearnReasoning && r != MaskReasoning {
		return fmt.Errorf("reasoning is %q, expected %s, %s, or nothing", r, LearnReasoning, MaskReasoning)
	}
	return nil
}

// WithReasoning returns a copy of f that treats reasoning as r says. A new Format refuses it.
func (f *Format) WithReasoning(r Reasoning) *Format {
	g := *f
	g.reasoning = r
	return &g
}

// TurnByTurn reports that a template does not print a chat as a model writes it, and that
// LearnReasoning could lay it out.
type TurnByTurn struct{ Err error }

func (e *TurnByTurn) Error() string {
	return fmt.Sprintf("%v; herd could lay out each turn by itself, behind its own prompt", e.Err)
}

func (e *TurnByTurn) Unwrap() error { return e.Err }

// Turns lays out a conversation to learn from. That is Chat if the template prints the whole chat as
// a model writes it. If it does not, LearnReasoning gives a text for each turn of the assistant whose
// weight is not 0; the last messages of these texts are the turns, and only they are marked as the
// assistant's own. Without LearnReasoning the error is a *TurnByTurn then.
func (f *Format) Turns(messages []chat.Message) ([]Rendered, error) {
	whole, _, err := f.layout(messages, 0)
	if err == nil {
		return []Rendered{whole}, nil
	}
	turns, failed := f.turnByTurn(messages)
	switch {
	case failed != nil:
		return nil, err
	case f.reasoning == RefuseReasoning:
		return nil, &TurnByTurn{err}
	}
	return turns, nil
}

func (f *Format) turnByTurn(messages []chat.Message) (turns []Rendered, err error) {
	if !slices.ContainsFunc(messages, func(m chat.Message) bool { return m.Role == chat.Assistant }) {
		return nil, errors.New("chat: no message is the assistant's")
	}
	if f.reasoning == RefuseReasoning {
		f = f.WithReasoning(LearnReasoning) // to see whether it could
	}
	for i, m := range messages {
		if m.Role != chat.Assistant || m.LossWeight() == 0 {
			continue
		}
		before, after, err := f.Continue(messages[:i], messages[i:i+1])
		if err != nil {
			return nil, err
		}
		turns = append(turns, before.join(after))
	}
	return turns, nil
}

// asWritten lays out a response as a reasoning model writes it behind its prompt: what it thought,
// </think>, and the answer. The template gives the prompt, which may have begun the thought already,
// and the answer with its calls and its end.
func (f *Format) asWritten(prompt []chat.Message, response chat.Message) (before, after Rendered, err error) {
	thought, answer := thoughtOf(response)
	all := append(slices.Clone(prompt), answer)
	if thought != "" {
		f = f.thinking()
	}
	c, err := valuesOf(all)
	if err != nil {
		return before, after, err
	}
	given, err := f.render(c.first(len(prompt)), true)
	if err != nil {
		return before, after, err
	}
	whole, err := f.render(c, false)
	if err != nil {
		return before, after, err
	}
	if _, err := f.checkDropped(all, whole, len(prompt)); err != nil {
		return before, after, err
	}
	header, opening := cutOpening(given)
	n := len(header)
	if !strings.HasPrefix(whole.String(), header) {
		return before, after, fmt.Errorf("chat: the template writes something else before message %d in the whole chat than in the prompt", len(prompt))
	}
	begun, closing, err := opening.around(thought)
	if err != nil {
		return before, after, err
	}
	written := jinja.Concat(given, jinja.NewText(begun, ofTemplate),
		jinja.NewText(thought, from(len(prompt), partReasoning)), jinja.NewText(closing, ofTemplate),
		withoutThought(whole.Slice(n, len(whole.String())), len(prompt)))
	start := len(given.String())
	t := turn{message: len(prompt), start: start, limit: len(written.String())}
	t.end = max(start, lastByte(written, t.message, start))
	turns := []turn{t}
	r, err := f.mark(written, turns)
	if err != nil {
		return before, after, err
	}
	before, after = r.split(turns[0].first)
	return before, after, nil
}

// thinking returns a copy of f whose templates are asked for a thought, by the names of DeepSeek V3.1
// and IBM Granite (thinking) and of Qwen 3 (enable_thinking).
func (f *Format) thinking() *Format {
	g := *f
	g.values = maps.Clone(f.values)
	g.values["thinking"], g.values["enable_thinking"] = true, true
	return &g
}

// The marks around a thought. Other marks count only where a template writes them itself.
const (
	thinkBegin = "<think>"
	ThinkEnd   = "</think>"
)

// OpensThought reports whether a prompt ends with <think>, so that the answer begins with a thought.
func OpensThought(tok *tokenizer.Tokenizer, prompt []token.ID) bool {
	last := prompt[max(0, len(prompt)-2*len(thinkBegin)):] // a token has a byte at least
	return strings.HasSuffix(strings.TrimRight(tok.Decode(last), "\n"), thinkBegin)
}

// thoughtOf splits a message into what the assistant thought and a message with the rest. The thought
// is a field of the message, or stands in the content before </think>. Newlines at the borders belong
// to the layout, as in the template of Qwen 3.
func thoughtOf(m chat.Message) (thought string, answer chat.Message) {
	thought = m.Reasoning
	if in, rest, ok := strings.Cut(m.Content, ThinkEnd); ok && thought == "" {
		thought = strings.TrimPrefix(strings.TrimLeft(in, "\n"), thinkBegin)
		m.Content = strings.TrimLeft(rest, "\n")
	}
	m.Reasoning = ""
	return strings.Trim(thought, "\n"), m
}

// opening is how a prompt of the template begins the thought of the answer.
type opening int

const (
	unopened opening = iota // the model begins it
	inline                  // with <think>
	onLine                  // with <think> and a new line
	closed                  // with </think>, so that there is none
)

// cutOpening cuts the beginning of a thought off a prompt.
func cutOpening(given jinja.Text) (header string, o opening) {
	whole := given.String()
	trimmed := strings.TrimRight(whole, "\n")
	header, o = whole, unopened
	if before, ok := strings.CutSuffix(trimmed, ThinkEnd); ok {
		header, o = before, closed
		if before, ok := strings.CutSuffix(strings.TrimRight(before, "\n"), thinkBegin); ok {
			header = before
		}
	} else if before, ok := strings.CutSuffix(trimmed, thinkBegin); ok {
		header, o = before, inline
		if len(trimmed) < len(whole) {
			o = onLine
		}
	}
	if !fromTemplate(whole, given.Runs(), len(header), len(whole)) {
		return whole, unopened // a message ends so
	}
	return header, o
}

// around returns what stands before and behind a thought behind such a prompt.
func (o opening) around(thought string) (begin, end string, err error) {
	switch {
	case o == closed && thought != "":
		return "", "", errors.New("chat: the template's prompt ends the thought before it begins: it has no place for reasoning")
	case o == closed, o == unopened && thought == "":
		return "", "", nil
	case o == inline:
		return "", ThinkEnd, nil
	case o == unopened:
		begin = thinkBegin + "\n"
	}
	return begin, "\n" + ThinkEnd + "\n\n", nil
}

// withoutThought cuts off the thought, which is empty, that a template writes before the answer.
func withoutThought(text jinja.Text, message int) jinja.Text {
	all := text.String()
	lead := all[:firstByte(text, message)]
	rest := strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(lead, "\n"), thinkBegin), "\n")
	rest, ok := strings.CutPrefix(rest, ThinkEnd)
	if !ok {
		return text
	}
	rest = strings.TrimLeft(rest, "\n")
	return text.Slice(len(lead)-len(rest), len(all))
}

// thoughtEnd returns the byte behind the reasoning of a turn, with </think> and the new lines behind
// it, or with other marks that the template writes before the content; or the turn's start if it has
// none.
func thoughtEnd(text jinja.Text, t turn) int {
	all := text.String()[t.start:t.end]
	if at := strings.Index(all, ThinkEnd); at >= 0 {
		rest := strings.TrimLeft(all[at+len(ThinkEnd):], "\n")
		return t.start + len(all) - len(rest)
	}
	end, start := t.start, 0
	for _, r := range text.Runs() {
		switch m, p := messageOf(r.Mark.Origin); {
		case m != t.message:
		case p == partReasoning:
			end = r.End
		case p == partContent && end > t.start:
			return start
		}
		start = r.End
	}
	return end
}
