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

// Added is an added token: herd finds it in text by its name, and no merge makes it.
type Added struct {
	ID      token.ID
	Text    string
	Special bool // a control token, which decoding may leave out

	Normalized bool // matches normalised text, with its own text normalised
	SingleWord bool // matches only where no letter or digit touches it
	LStrip     bool // includes the white space before it
	RStrip     bool // includes the white space behind it
}

// addedTokens looks up the added tokens of a vocabulary by name, and finds them in text.
type addedTokens struct {
	byText  map[string]*Added
	special map[token.ID]bool // one entry for each added token
	raw     finder            // tokens that match text as it is
	normal  finder            // tokens that match normalised text
}

// newAddedTokens returns the added tokens of a vocabulary; normalise normalises text.
func newAddedTokens(v Vocabulary, normalise func(string) string) (addedTokens, error) {
	t := addedTokens{byText: map[string]*Added{}, special: map[token.ID]bool{}}
	for _, a := range v.Added {
		if a.ID < 0 || int(a.ID) >= len(v.Tokens) || v.Tokens[a.ID] != a.Text {
			return t, fmt.Errorf("added token %q has id %d, but is not at that place in the vocabulary of %d", a.Text, a.ID, len(v.Tokens))
		}
		if a.Text == "" || t.byText[a.Text] != nil {
			return t, fmt.Errorf("added token %d is %q, which is empty or a duplicate", a.ID, a.Text)
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
	byFirst [256][]sought // by first byte, the longest name first
	count   int
}

// sought is an added token with the name to search for.
type sought struct {
	text  string
	added *Added
}

func (f *finder) insert(text string, a *Added) {
	if text == "" {
		return // normalisation leaves nothing of the name: it never matches
	}
	f.byFirst[text[0]] = append(f.byFirst[text[0]], sought{text, a})
	f.count++
}

// order puts the longest names first, and special tokens first among equal names.
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

// next returns the leftmost added token in text[from:] and where it starts, or nil. If several
// start there it returns the longest.
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

// section is a part of a text: an added token, or the text between two.
type section struct {
	text  string
	start int
	added *Added // nil for text
}

// sections splits text at added tokens where allowed accepts them. Elsewhere their names are
// ordinary text. It follows AddedVocabulary.find_matches of Hugging Face's tokenizers.
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

// extent returns the bytes of text that a covers if its name is at text[start:end] and the
// text before done is used up. It returns false if a must be a whole word and is not.
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

// isWord reports whether \w of Unicode's regular expressions (UTS 18, annex C) matches r.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}
