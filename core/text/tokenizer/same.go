package tokenizer

import (
	"fmt"

	"github.com/herd-lm/herd/core/token"
)

// OtherVocabulary reports that two tokenizers have different tokens, so that a model cannot read
// token ids that the other tokenizer made.
type OtherVocabulary struct {
	Size, OtherSize int      // numbers of tokens
	ID              token.ID // the first whose token differs; OtherSize or Size if one is the beginning of the other
	Token, Other    string   // the token of ID; "" if there is none
}

func (e *OtherVocabulary) Error() string {
	return fmt.Sprintf("the vocabularies differ: %d and %d tokens, and token %d is %s and %s", e.Size, e.OtherSize, e.ID, shown(e.Token), shown(e.Other))
}

func shown(text string) string {
	if text == "" {
		return "missing"
	}
	return fmt.Sprintf("%q", text)
}

// SameVocabulary returns an *OtherVocabulary unless both tokenizers give each id the same token.
// How they split a text and which tokens are special does not count.
func (t *Tokenizer) SameVocabulary(other *Tokenizer) error {
	return t.compare(other, max(t.VocabSize(), other.VocabSize()))
}

// Extends returns an *OtherVocabulary unless t gives each id of the other tokenizer the same token
// as that. It can have more tokens.
func (t *Tokenizer) Extends(other *Tokenizer) error { return t.compare(other, other.VocabSize()) }

// compare compares the tokens with ids below limit.
func (t *Tokenizer) compare(other *Tokenizer, limit int) error {
	for id := range token.ID(limit) {
		if mine, theirs := t.Token(id), other.Token(id); mine != theirs {
			return &OtherVocabulary{t.VocabSize(), other.VocabSize(), id, mine, theirs}
		}
	}
	return nil
}
