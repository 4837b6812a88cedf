package tokenizer

import (
	"strings"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// blank is the character that stands for a blank in SentencePiece's
// vocabularies (U+2581).
const blank = "▁"

// SentencePiece is how a vocabulary of SentencePiece's kind (Llama 2, Mistral,
// Gemma) treats text. Its merges join characters, not bytes, and blanks are
// part of them as ▁.
type SentencePiece struct {
	Blanks       Blanks
	Words        bool   // a ▁ begins a piece: merges do not cross it
	Strip        bool   // one blank at the start is no part of decoded text
	ByteFallback bool   // a character without a token becomes its bytes: <0xE2>, ...
	Unknown      string // text of the token for a character that has neither, or "": it is left out
	FuseUnknown  bool   // neighbours of this sort become one token together
}

// Blanks says when blanks become ▁, and what gets one more in front.
type Blanks uint8

const (
	// BlanksSections puts a ▁ before the text and before each section behind an
	// added token, then looks for added tokens that are normalised (the
	// normalizer Prepend of Llama 2, called legacy by transformers).
	BlanksSections Blanks = iota
	// BlanksKept only turns blanks to ▁, at the same time (Gemma).
	BlanksKept
	// BlanksFirst looks for all added tokens first, and puts a ▁ before the text
	// unless it begins with one (the pre-tokenizer Metaspace, "first").
	BlanksFirst
	// BlanksAlways does so before each section (Metaspace, "always").
	BlanksAlways
	// BlanksNever adds none (Metaspace, "never").
	BlanksNever
)

func (b Blanks) prefixed() bool {
	return b == BlanksSections || b == BlanksFirst || b == BlanksAlways
}

// normalise is what happens to text before normalised added tokens are looked
// for.
func (s *SentencePiece) normalise(text string) string {
	switch s.Blanks {
	case BlanksSections:
		if text != "" {
			text = blank + strings.ReplaceAll(text, " ", blank)
		}
	case BlanksKept:
		text = strings.ReplaceAll(text, " ", blank)
	}
	return text
}

// mark is what happens to a section of text between added tokens; first says
// that it begins the text.
func (s *SentencePiece) mark(text string, first bool) string {
	if s.Blanks == BlanksSections || s.Blanks == BlanksKept {
		return text
	}
	text = strings.ReplaceAll(text, " ", blank)
	if (s.Blanks == BlanksAlways || s.Blanks == BlanksFirst && first) && !strings.HasPrefix(text, blank) {
		text = blank + text
	}
	return text
}

// show returns the bytes that a token stands for.
func (s *SentencePiece) show(text string, added bool) string {
	b, isByte := byteOf(text)
	switch {
	case added:
		return text
	case isByte && s.ByteFallback:
		return string([]byte{b})
	}
	return strings.ReplaceAll(text, blank, " ")
}

// byteTokens returns the token of each byte, None where there is none. They are
// in nobody's way: no text gives them as characters.
func (s *SentencePiece) byteTokens(ids map[string]token.ID) (base [256]token.ID) {
	for b := range base {
		base[b] = None
		if id, ok := ids[byteName(byte(b))]; ok && s.ByteFallback {
			base[b] = id
		}
	}
	return base
}

// appendCharacters appends the tokens of the characters of a piece, which merges
// start from. As in Hugging Face's BPE, unknown characters wait for the next
// known one, and bytes do not.
func (t *Tokenizer) appendCharacters(ids []token.ID, piece string) []token.ID {
	unknown := 0 // characters that are not appended yet
	for len(piece) > 0 {
		n := firstRune(piece)
		char := piece[:n]
		piece = piece[n:]
		if id, ok := t.ids[char]; ok {
			ids, unknown = t.appendUnknown(ids, unknown), 0
			ids = append(ids, id)
		} else if with, ok := t.appendBytes(ids, char); ok {
			ids = with
		} else {
			unknown++
		}
	}
	return t.appendUnknown(ids, unknown)
}

func (t *Tokenizer) appendBytes(ids []token.ID, char string) ([]token.ID, bool) {
	start := len(ids)
	for i := range len(char) {
		id := t.base[char[i]]
		if id == None {
			return ids[:start], false
		}
		ids = append(ids, id)
	}
	return ids, true
}

func (t *Tokenizer) appendUnknown(ids []token.ID, count int) []token.ID {
	if t.unknown == None {
		return ids
	}
	if t.vocab.SentencePiece.FuseUnknown {
		count = min(count, 1)
	}
	for range count {
		ids = append(ids, t.unknown)
	}
	return ids
}

// whole is the splitter of a vocabulary without pieces.
func whole(text string) int { return len(text) }

// splitWords returns the length of the first piece of text where a ▁ begins
// one.
func splitWords(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	if i := strings.Index(text[n:], blank); i >= 0 {
		return n + i
	}
	return len(text)
}
