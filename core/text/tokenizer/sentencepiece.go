package tokenizer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// blank is the character that represents a blank in SentencePiece vocabularies (U+2581).
const blank = "▁"

// SentencePiece says how a SentencePiece vocabulary (Llama 2, Mistral, Gemma) treats text. Its
// merges join characters, not bytes. Blanks are the character ▁.
type SentencePiece struct {
	Blanks       Blanks
	Words        bool   // a ▁ begins a piece: merges do not cross it
	Strip        bool   // decoding removes one blank at the start
	ByteFallback bool   // a character without a token becomes its bytes: <0xE2>, ...
	Unknown      string // text of the token for a character without a token or bytes; "" drops the character
	FuseUnknown  bool   // neighbouring unknown characters become one token
}

// Blanks says when blanks become ▁, and which texts get one more ▁ in front.
type Blanks uint8

const (
	// BlanksSections puts a ▁ before the text and before each section after an added token. Then
	// it looks for added tokens that match normalised text (the normalizer Prepend of Llama 2,
	// which transformers calls legacy).
	BlanksSections Blanks = iota
	// BlanksKept replaces blanks by ▁ at the same stage, but adds none (Gemma).
	BlanksKept
	// BlanksFirst looks for all added tokens first. Then it puts a ▁ before the text unless the
	// text begins with one (the pre-tokenizer Metaspace, "first").
	BlanksFirst
	// BlanksAlways is BlanksFirst with a ▁ before each section (Metaspace, "always").
	BlanksAlways
	// BlanksNever is BlanksFirst without a ▁ in front (Metaspace, "never").
	BlanksNever
)

func (b Blanks) prefixed() bool {
	return b == BlanksSections || b == BlanksFirst || b == BlanksAlways
}

// normalise converts text before the search for added tokens that match normalised text.
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

// mark converts a section of text between added tokens. first says that the section begins the
// text.
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

// show returns the bytes that a token decodes to.
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

// byteTokens returns the token of each byte, or None.
func (s *SentencePiece) byteTokens(ids map[string]token.ID) (base [256]token.ID) {
	for b := range base {
		base[b] = None
		if id, ok := ids[byteName(byte(b))]; ok && s.ByteFallback {
			base[b] = id
		}
	}
	return base
}

// appendCharacters appends the tokens of the characters of a piece, before any merge. As in Hugging
// Face's BPE, it appends the tokens of unknown characters only before the next known character or
// at the end. Bytes do not count as known characters.
func (t *Tokenizer) appendCharacters(ids []token.ID, piece string) []token.ID {
	unknown := 0 // unknown characters not yet appended
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

// appendKnown appends the tokens of the bytes of text, and the unknown token for those that have
// none. Without an unknown token it leaves them out, as Hugging Face's BPE does; CheckText reports
// them.
func (t *Tokenizer) appendKnown(ids []token.ID, text string) []token.ID {
	for i := range len(text) {
		id := t.base[text[i]]
		if id == None {
			id = t.unknown
		}
		if id != None {
			ids = append(ids, id)
		}
	}
	return ids
}

// CheckText returns an error if text has a byte of UTF-8 for which a byte-level vocabulary has no
// token, not even an unknown one: Encode would leave it out.
func (t *Tokenizer) CheckText(text string) error {
	if t.vocab.SentencePiece != nil || t.unknown != None {
		return nil
	}
	for i := range len(text) {
		if b := text[i]; t.base[b] == None && inUTF8(b) {
			return fmt.Errorf("the vocabulary has no token for byte 0x%02x, which the text has at offset %d", b, i)
		}
	}
	return nil
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

// whole returns the length of text, for vocabularies without pieces.
func whole(text string) int { return len(text) }

// splitWords returns the length of the first piece of text if each ▁ begins a piece.
func splitWords(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	if i := strings.Index(text[n:], blank); i >= 0 {
		return n + i
	}
	return len(text)
}
