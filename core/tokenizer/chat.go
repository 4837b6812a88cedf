package tokenizer

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/herd-lm/herd/core/token"
)

// Kind says what a token of a rendered chat is there for.
type Kind uint8

const (
	Header    Kind = iota // beginning of text, and the headers that name roles
	Content               // what was said
	EndOfTurn             // <|eot_id|>
)

// Assistant is the role of the model's own turns.
const Assistant = "assistant"

// Rendered is a chat, or a part of one, as tokens. All slices have one entry
// for each token.
type Rendered struct {
	IDs  []token.ID
	Kind []Kind
	Turn []int32 // index of the message, -1 before the first; a generation prompt counts as one more
	Own  []bool  // the assistant's own words: content and end of turn of its messages, not the headers
}

// Chat lays out messages by the chat template. With generationPrompt the header
// of an assistant's turn follows, for a model to go on from.
//
// The layout is that of Llama 3 (Meta-Llama-3-8B-Instruct's chat_template):
// <|begin_of_text|>, then for each message <|start_header_id|>, role,
// <|end_header_id|>, two newlines, the content without white space around it,
// <|eot_id|>. Roles and contents are encoded with Encode, so that no text can
// forge a header or an end of turn.
func (t *Tokenizer) Chat(messages []token.Message, generationPrompt bool) (Rendered, error) {
	l, err := t.newLayout()
	if err != nil {
		return Rendered{}, fmt.Errorf("chat: %w", err)
	}
	if len(messages) == 0 {
		return Rendered{}, fmt.Errorf("chat: no messages")
	}
	l.add(Header, -1, false, t.bos)
	for i, m := range messages {
		if m.Role == "" {
			return Rendered{}, fmt.Errorf("chat: message %d has no role", i)
		}
		l.turn(int32(i), m)
	}
	if generationPrompt {
		l.header(int32(len(messages)), Assistant)
	}
	return l.Rendered, nil
}

// Continue lays out prompt followed by response, whose first message must be
// the assistant's, and cuts where the response's first word begins: the header
// of its turn belongs to the prompt. So
//
//	before == Chat(prompt, true)
//	before ++ after == Chat(prompt ++ response, false)
func (t *Tokenizer) Continue(prompt, response []token.Message) (before, after Rendered, err error) {
	if len(response) == 0 || response[0].Role != Assistant {
		return before, after, fmt.Errorf("chat: the response must start with a message of the assistant")
	}
	if before, err = t.Chat(prompt, true); err != nil {
		return before, after, err
	}
	all := make([]token.Message, 0, len(prompt)+len(response))
	whole, err := t.Chat(append(append(all, prompt...), response...), false)
	if err != nil {
		return before, after, err
	}
	cut := len(before.IDs)
	return whole.slice(0, cut), whole.slice(cut, len(whole.IDs)), nil
}

func (r Rendered) slice(from, to int) Rendered {
	return Rendered{r.IDs[from:to:to], r.Kind[from:to:to], r.Turn[from:to:to], r.Own[from:to:to]}
}

// layout is a chat while it is laid out by Llama 3's template.
type layout struct {
	Rendered
	t                *Tokenizer
	start, end, stop token.ID
	newlines         []token.ID
}

func (t *Tokenizer) newLayout() (*layout, error) {
	if err := t.template.known(); err != nil {
		return nil, err
	}
	l := &layout{t: t}
	for name, id := range map[string]*token.ID{NameStartHeader: &l.start, NameEndHeader: &l.end, NameEndOfTurn: &l.stop} {
		var ok bool
		if *id, ok = t.Special(name); !ok {
			return nil, fmt.Errorf("the template needs the special token %s, which the vocabulary lacks", name)
		}
	}
	if t.bos == None {
		return nil, fmt.Errorf("the template needs a beginning-of-text token, which the vocabulary lacks")
	}
	// Under Llama 3's pattern two newlines before a word are a piece of their
	// own, so that encoding them apart from the content changes no id.
	l.newlines = t.Encode("\n\n")
	return l, nil
}

func (l *layout) turn(i int32, m token.Message) {
	own := m.Role == Assistant
	l.header(i, m.Role)
	l.add(Content, i, own, l.t.Encode(strings.TrimFunc(m.Content, stripped))...)
	l.add(EndOfTurn, i, own, l.stop)
}

func (l *layout) header(i int32, role string) {
	l.add(Header, i, false, l.start)
	l.add(Header, i, false, l.t.Encode(role)...)
	l.add(Header, i, false, l.end)
	l.add(Header, i, false, l.newlines...)
}

func (l *layout) add(kind Kind, turn int32, own bool, ids ...token.ID) {
	l.IDs = append(l.IDs, ids...)
	for range ids {
		l.Kind = append(l.Kind, kind)
		l.Turn = append(l.Turn, turn)
		l.Own = append(l.Own, own)
	}
}

// stripped reports whether Jinja's trim, which is Python's str.strip, removes r
// from the ends of a text: white space and the four separators of ASCII.
func stripped(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }
