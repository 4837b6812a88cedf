package tokenizer

import (
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// Stream decodes tokens one by one as a model generates them. A character may
// be spread over several tokens: its bytes are held back until it is whole.
type Stream struct {
	SkipSpecial bool // leave special tokens out
	Begun       bool // there was text before: a blank in front belongs to the text, not to its beginning

	t    *Tokenizer
	held []byte // fewer bytes than a character
}

// Stream returns a decoder for one sequence of tokens.
func (t *Tokenizer) Stream() *Stream { return &Stream{t: t} }

// Next returns the text that id completes, "" if it only begins a character.
// What all calls return, with Flush's at the end, joins to what Decode returns.
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

// Flush returns what is held back: the bytes of a character that never became
// whole.
func (s *Stream) Flush() string {
	text := string(s.held)
	s.held = s.held[:0]
	return text
}

// wholeRunes returns the length of b without a character that begins at its
// end. Bytes that can begin or continue no character count as whole.
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
