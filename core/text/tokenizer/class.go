package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// class is the class of a character in patterns, or a set of classes. Every character has one
// class.
type class uint16

const (
	symbol      class = 1 << iota // of none of the others
	punctuation                   // \p{P}
	mark                          // \p{M}
	upper                         // [\p{Lu}\p{Lt}]
	lower                         // \p{Ll}
	caseless                      // [\p{Lm}\p{Lo}]
	number                        // \p{N}
	space                         // \s without newline
	newline                       // [\r\n], which is also \s

	letters = upper | lower | caseless    // \p{L}
	blanks  = space | newline             // \s
	others  = symbol | punctuation | mark // [^\s\p{L}\p{N}]
	begins  = upper | caseless | mark     // [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]
	goesOn  = lower | caseless | mark     // [\p{Ll}\p{Lm}\p{Lo}\p{M}]
)

// classes holds the class of every character of the basic multilingual plane. unicode.IsLetter
// and similar functions search tables, which is too slow for every character of a corpus.
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
	case unicode.In(r, unicode.Lu, unicode.Lt):
		return upper
	case unicode.Is(unicode.Ll, r):
		return lower
	case unicode.IsLetter(r):
		return caseless
	case unicode.IsNumber(r):
		return number
	case unicode.IsMark(r):
		return mark
	case unicode.IsPunct(r):
		return punctuation
	}
	return symbol
}

// classAt returns the class and the length in bytes of the character at text[i:]. A byte that
// is not UTF-8 counts as one character of class symbol. At the end of text the length is 0.
func classAt(text string, i int) (class, int) {
	if i >= len(text) {
		return symbol, 0
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

// skip returns the end of the run of characters in the set that starts at i.
func skip(text string, i int, set class) int {
	for {
		c, n := classAt(text, i)
		if n == 0 || c&set == 0 {
			return i
		}
		i += n
	}
}

// firstRune returns the length in bytes of the first character of text. A byte that is not
// UTF-8 counts as one.
func firstRune(text string) int {
	if text[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(text)
	return n
}
