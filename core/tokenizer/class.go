package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// class is what the patterns distinguish characters by.
type class uint8

const (
	other   class = iota // [^\s\p{L}\p{N}]
	letter               // \p{L}
	number               // \p{N}
	space                // \s without newline
	newline              // [\r\n], which is also \s
)

// classes holds the class of every character of the basic multilingual plane:
// unicode.IsLetter and its like are binary searches, too slow for every
// character of a corpus.
var classes = func() (table [1 << 16]class) {
	for r := range table {
		table[r] = classify(rune(r))
	}
	return table
}()

func classify(r rune) class {
	switch {
	case r == '\r' || r == '\n':
		return newline
	case unicode.IsSpace(r):
		return space
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	}
	return other
}

// classAt returns the class and the length of the character at text[i:], where
// a byte that is not UTF-8 counts as one character of class other. At the end
// of text the length is 0.
func classAt(text string, i int) (class, int) {
	if i >= len(text) {
		return other, 0
	}
	if b := text[i]; b < utf8.RuneSelf {
		return classes[b], 1
	}
	r, n := utf8.DecodeRuneInString(text[i:])
	if int(r) < len(classes) {
		return classes[r], n
	}
	return classify(r), n
}

// skip returns the end of the run of characters of class c that starts at i.
func skip(text string, i int, c class) int {
	for {
		k, n := classAt(text, i)
		if n == 0 || k != c {
			return i
		}
		i += n
	}
}
