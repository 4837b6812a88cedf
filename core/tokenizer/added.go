package tokenizer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// addedTokens finds the added tokens of a vocabulary, by text and in text.
type addedTokens struct {
	byText  map[string]*Added
	special map[token.ID]bool // has an entry for each
	byFirst [256][]*Added     // by first byte, the longest first
}

func newAddedTokens(v Vocabulary) (addedTokens, error) {
	t := addedTokens{byText: map[string]*Added{}, special: map[token.ID]bool{}}
	for _, a := range v.Added {
		if a.ID < 0 || int(a.ID) >= len(v.Tokens) || v.Tokens[a.ID] != a.Text {
			return t, fmt.Errorf("added token %q has id %d, which is not its place in the vocabulary of %d", a.Text, a.ID, len(v.Tokens))
		}
		if a.Text == "" || t.byText[a.Text] != nil {
			return t, fmt.Errorf("added token %d is %q: empty, or there twice", a.ID, a.Text)
		}
		t.insert(&a)
	}
	for _, list := range t.byFirst {
		slices.SortFunc(list, func(a, b *Added) int { return len(b.Text) - len(a.Text) })
	}
	return t, nil
}

func (t *addedTokens) insert(a *Added) {
	t.byText[a.Text] = a
	t.special[a.ID] = a.Special
	first := a.Text[0]
	t.byFirst[first] = append(t.byFirst[first], a)
}

func (t *addedTokens) has(id token.ID) bool {
	_, ok := t.special[id]
	return ok
}

// find returns the leftmost added token in text that is wanted, the longest if
// several start there, and where it starts; nil if there is none.
func (t *addedTokens) find(text string, wanted func(start int, a *Added) bool) (int, *Added) {
	for i := range len(text) {
		for _, a := range t.byFirst[text[i]] {
			if strings.HasPrefix(text[i:], a.Text) && wanted(i, a) {
				return i, a
			}
		}
	}
	return 0, nil
}
