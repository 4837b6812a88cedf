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
	ascii [utf8.RuneSelf]bitset128 // of two ASCII characters
	other map[[2]rune]bool         // of others
}

type bitset128 [2]uint64

func (b *bitset128) add(r rune)      { b[r/64] |= 1 << (r % 64) }
func (b *bitset128) has(r rune) bool { return b[r/64]>>(r%64)&1 == 1 }

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
		switch {
		case last < 0:
		case last < utf8.RuneSelf && r < utf8.RuneSelf:
			j.ascii[last].add(r)
		default:
			j.other[[2]rune{last, r}] = true
		}
		last = r
	}
}

// firstPiece returns the length of the characters at the start of text, which is
// not empty, that merges may join.
func (j *joints) firstPiece(text string) int {
	last, end := utf8.DecodeRuneInString(text)
	for end < len(text) {
		r, n := rune(text[end]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[end:])
		}
		if last < utf8.RuneSelf && r < utf8.RuneSelf {
			if !j.ascii[last].has(r) {
				return end
			}
		} else if !j.other[[2]rune{last, r}] {
			return end
		}
		last, end = r, end+n
	}
	return end
}
