package tokenizer

import (
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// joints records which pairs of neighbouring characters occur in some token. Between the
// characters of any other pair no merge joins anything, because a token contains all characters
// that it covers. So herd can split a text there into pieces for the cache without changing
// ids.
type joints struct {
	common [commonChars]row // pairs of common characters, by the left one
	other  map[[2]rune]bool // other pairs
}

// commonChars is the number of characters with a place in the table: ASCII and ▁.
const commonChars = utf8.RuneSelf + 1

// row is a set of common characters.
type row [(commonChars + 63) / 64]uint64

// common returns the place of r in the table, or -1.
func common(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return int(r)
	case r == '▁':
		return utf8.RuneSelf
	}
	return -1
}

// newJoints returns the joints of a vocabulary. It returns nil if characters may join in other
// ways than by merges of their tokens: if neighbouring unknown characters become one token, or
// if merges join bytes.
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

// firstPiece returns the length in bytes of the characters at the start of a text that merges
// may join. The text must not be empty.
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
