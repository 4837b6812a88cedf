package tokenizer

import (
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// joints says which neighbouring characters some token has side by side. Between
// two others no merge ever joins anything, so that a text may be cut there into
// pieces that a cache knows, and no id changes: whatever characters a token
// covers while merging stand in its own text.
type joints struct {
	common [commonChars]row // by the left one, of common characters
	other  map[[2]rune]bool // of others
}

// commonChars is the number of characters that are looked up in a table: ASCII
// and ▁.
const commonChars = utf8.RuneSelf + 1

// row is a set of common characters.
type row [(commonChars + 63) / 64]uint64

// common returns the place of r in tables, or -1.
func common(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return int(r)
	case r == '▁':
		return utf8.RuneSelf
	}
	return -1
}

// newJoints returns the joints of a vocabulary, or nil if characters may join
// otherwise than by merges of their tokens: where unknown ones become one token
// together, or merges take up bytes.
func newJoints(t *Tokenizer) *joints {
	for _, id := range t.base {
		if id == None {
			return nil
		}
	}
	j := &joints{other: map[[2]rune]bool{}}
	for p, m := range t.merges {
		for _, id := range [...]token.ID{p.left(), p.right()} {
			if t.base[t.shown[id][0]] == id || id == t.unknown {
				return nil
			}
		}
		j.add(t.vocab.Tokens[m.into])
	}
	return j
}

func (j *joints) add(text string) {
	last := rune(-1)
	for _, r := range text {
		switch a, b := common(last), common(r); {
		case last < 0: // the first
		case a >= 0 && b >= 0:
			j.common[a][b/64] |= 1 << (b % 64)
		default:
			j.other[[2]rune{last, r}] = true
		}
		last = r
	}
}

func (j *joints) has(left, right rune) bool {
	a, b := common(left), common(right)
	if a >= 0 && b >= 0 {
		return j.common[a][b/64]>>(b%64)&1 == 1
	}
	return j.other[[2]rune{left, right}]
}

// firstPiece returns the length of the characters at the start of text, which is
// not empty, that merges may join.
func (j *joints) firstPiece(text string) int {
	last, end := utf8.DecodeRuneInString(text)
	for end < len(text) {
		r, n := utf8.DecodeRuneInString(text[end:])
		if !j.has(last, r) {
			break
		}
		last, end = r, end+n
	}
	return end
}
