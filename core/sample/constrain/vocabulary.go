package constrain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// Vocabulary holds the bytes that each token adds to a text, sorted, so that tokens with a common
// beginning are walked together. Any number of goroutines may use it.
type Vocabulary struct {
	texts  []string  // of each token, by id; "" if it is no part of a text
	tokens []spelled // those that are, sorted
}

// spelled is a token with its bytes.
type spelled struct {
	text   string
	id     token.ID
	common int // bytes that it has in common with the token before
}

// NewVocabulary returns the vocabulary of a tokenizer. Special tokens are no part of a text, and
// neither are tokens without bytes.
func NewVocabulary(tok *tokenizer.Tokenizer) *Vocabulary {
	texts := make([]string, tok.VocabSize())
	for id := range texts {
		if id := token.ID(id); !tok.IsSpecial(id) {
			s := tok.Stream()
			s.Begun = true
			texts[id] = s.Next(id) + s.Flush()
		}
	}
	return vocabularyOf(texts)
}

func vocabularyOf(texts []string) *Vocabulary {
	v := &Vocabulary{texts: texts}
	for id, text := range texts {
		if text != "" {
			v.tokens = append(v.tokens, spelled{text: text, id: token.ID(id)})
		}
	}
	slices.SortFunc(v.tokens, func(a, b spelled) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.id, b.id))
	})
	for i := 1; i < len(v.tokens); i++ {
		v.tokens[i].common = common(v.tokens[i-1].text, v.tokens[i].text)
	}
	return v
}

func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// walk calls found with each token that may follow from.
func (v *Vocabulary) walk(s *states, from *state, found func(token.ID)) {
	path := []*state{from} // after each byte of the token, as far as it is not dead
	for _, t := range v.tokens {
		// The walk of the token before ended at len(path)-1 bytes: in the dead state, if it has more.
		at := min(t.common, len(path)-1)
		if at < t.common {
			continue // it died in a beginning that this token has too
		}
		path = path[:at+1]
		for i := at; i < len(t.text); i++ {
			next := s.step(path[i], t.text[i])
			if next == dead {
				break
			}
			path = append(path, next)
		}
		if len(path) == len(t.text)+1 {
			found(t.id)
		}
	}
}
