package tokenizer

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/token"
)

// Added is a token that stands in text by its name: no merge makes it.
type Added struct {
	ID      token.ID
	Text    string
	Special bool // a mark that is left out where text is shown

	Normalized bool // looked for in normalised text, by its own text normalised
	SingleWord bool // found only where no letter or digit touches it
	LStrip     bool // takes the white space before it along
	RStrip     bool // takes the white space behind it along
}

// addedTokens finds the added tokens of a vocabulary, by text and in text.
type addedTokens struct {
	byText  map[string]*Added
	special map[token.ID]bool // has an entry for each
	raw     finder            // those that text holds as they are
	normal  finder            // those that normalised text holds
}

// newAddedTokens takes the function that normalises text.
func newAddedTokens(v Vocabulary, normalise func(string) string) (addedTokens, error) {
	t := addedTokens{byText: map[string]*Added{}, special: map[token.ID]bool{}}
	for _, a := range v.Added {
		if a.ID < 0 || int(a.ID) >= len(v.Tokens) || v.Tokens[a.ID] != a.Text {
			return t, fmt.Errorf("added token %q has id %d, which is not its place in the vocabulary of %d", a.Text, a.ID, len(v.Tokens))
		}
		if a.Text == "" || t.byText[a.Text] != nil {
			return t, fmt.Errorf("added token %d is %q: empty, or there twice", a.ID, a.Text)
		}
		t.byText[a.Text] = &a
		t.special[a.ID] = a.Special
		if a.Normalized {
			t.normal.insert(normalise(a.Text), &a)
		} else {
			t.raw.insert(a.Text, &a)
		}
	}
	t.raw.order()
	t.normal.order()
	return t, nil
}

func (t *addedTokens) has(id token.ID) bool {
	_, ok := t.special[id]
	return ok
}

// finder finds added tokens in text.
type finder struct {
	byFirst [256][]sought // by first byte, the longest first
	count   int
}

// sought is what an added token is found by.
type sought struct {
	text  string
	added *Added
}

func (f *finder) insert(text string, a *Added) {
	if text == "" {
		return // nothing is left of it, and it is never found
	}
	f.byFirst[text[0]] = append(f.byFirst[text[0]], sought{text, a})
	f.count++
}

// order puts the longest first, of equal ones those that are special.
func (f *finder) order() {
	for _, list := range f.byFirst {
		slices.SortStableFunc(list, func(a, b sought) int {
			if len(a.text) == len(b.text) && a.added.Special != b.added.Special {
				return map[bool]int{true: -1, false: 1}[a.added.Special]
			}
			return len(b.text) - len(a.text)
		})
	}
}

// next returns the leftmost added token in text[from:], the longest if several
// start there, and where it starts; nil if there is none.
func (f *finder) next(text string, from int) (int, *sought) {
	for i := from; i < len(text); i++ {
		for j := range f.byFirst[text[i]] {
			if s := &f.byFirst[text[i]][j]; strings.HasPrefix(text[i:], s.text) {
				return i, s
			}
		}
	}
	return len(text), nil
}

// section is a part of a text: an added token, or text between such.
type section struct {
	text  string
	start int
	added *Added // nil for text
}

// sections cuts text at added tokens where they are allowed: elsewhere their names
// are text like any other. It follows AddedVocabulary.find_matches of Hugging
// Face's tokenizers.
func (f *finder) sections(text string, allowed func(start, end int, a *Added) bool) iter.Seq[section] {
	return func(yield func(section) bool) {
		done := 0
		for at := 0; f.count > 0; {
			i, found := f.next(text, at)
			if found == nil {
				break
			}
			at = i + len(found.text)
			start, end, ok := found.added.extent(text, i, at, done)
			if !ok || !allowed(start, end, found.added) {
				continue
			}
			if done < start && !yield(section{text[done:start], done, nil}) || !yield(section{text[start:end], start, found.added}) {
				return
			}
			done = end
		}
		if done < len(text) {
			yield(section{text[done:], done, nil})
		}
	}
}

// extent returns what a takes of text where its name is at text[start:end] and
// the text before done is taken; false if it is to be a word by itself and is
// not.
func (a *Added) extent(text string, start, end, done int) (from, to int, ok bool) {
	before, after := text[:start], text[end:]
	if a.SingleWord {
		last, _ := utf8.DecodeLastRuneInString(before)
		first, _ := utf8.DecodeRuneInString(after)
		if before != "" && isWord(last) || after != "" && isWord(first) {
			return 0, 0, false
		}
	}
	if a.LStrip {
		start = max(done, len(strings.TrimRightFunc(before, unicode.IsSpace)))
	}
	if a.RStrip {
		end += len(after) - len(strings.TrimLeftFunc(after, unicode.IsSpace))
	}
	return start, end, true
}

// isWord reports whether r is matched by \w of Unicode's regular expressions
// (UTS 18, annex C).
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}
