package tokenizer

import (
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// Stream decodes tokens one by one as a model generates them. A character may span several tokens:
// Stream holds its bytes back until it is complete.
type Stream struct {
	SkipSpecial bool // omit special tokens
	Begun       bool // the sequence continues a text, so do not strip a blank in front

	t    *Tokenizer
	held []byte // bytes of an incomplete character
}

// Stream returns a decoder for one sequence of tokens.
func (t *Tokenizer) Stream() *Stream { return &Stream{t: t} }

// Next returns the text that id completes, or "" if no character is complete. The results of all
// calls and of Flush at the end join to the result of Decode.
func (s *Stream) Next(id token.ID) string {
	if !s.SkipSpecial || !s.t.IsSpecial(id) {
		s.add(s.t.show(id))
	}
	whole := wholeRunes(s.held)
	text := string(s.held[:whole])
	s.held = append(s.held[:0], s.held[whole:]...)
	return text
}

func (s *Stream) add(text string) {
	if !s.Begun && text != "" {
		text, s.Begun = s.t.strip(text), true
	}
	s.held = append(s.held, text...)
}

// Flush returns the bytes held back, of a character that was never completed.
func (s *Stream) Flush() string {
	text := string(s.held)
	s.held = s.held[:0]
	return text
}

// wholeRunes returns the length of b without an incomplete character at its end. Invalid bytes
// count as complete characters.
func wholeRunes(b []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(b); back++ {
		if i := len(b) - back; utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				break
			}
			return i
		}
	}
	return len(b)
}
