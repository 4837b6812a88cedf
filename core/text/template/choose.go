package template

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/herd-lm/herd/core/text/tokenizer"
)

// ErrMissing reports that there is no chat template to lay out a chat with.
var ErrMissing = fmt.Errorf("chat: the tokenizer has no chat template: set template to one of %s", names())

// Choose returns tok with the chat template that its chats are laid out in. There is
// one rule for every command and stage:
//
//  1. If name is set, the template of that name counts (see Names), in place of the
//     tokenizer's own.
//  2. Otherwise the tokenizer's own template counts.
//  3. Without either, New refuses the tokenizer with ErrMissing.
//
// herd never guesses a template from the vocabulary: a base model has the tokens of
// Llama 3's chats too, but was not trained on that layout. A wrong layout is no error
// that anything would report later; it only makes the model worse.
func Choose(tok *tokenizer.Tokenizer, name string) (*tokenizer.Tokenizer, error) {
	if name == "" {
		return tok, nil
	}
	named, err := Named(name)
	if err != nil {
		return nil, err
	}
	return tok.WithTemplate(named), nil
}

// CheckName returns an error if name is set and is not the name of a template.
func CheckName(name string) error {
	if name == "" {
		return nil
	}
	_, err := Named(name)
	return err
}

// LoadTokenizer loads the tokenizer in dir with the template that Choose gives it.
func LoadTokenizer(dir, name string) (*tokenizer.Tokenizer, error) {
	tok, err := tokenizer.Load(dir)
	if err != nil {
		return nil, err
	}
	return Choose(tok, name)
}

// LoadOver is LoadTokenizer for an adapter: dir is the adapter's directory, or that of its model,
// base, if the adapter has no tokenizer. An adapter whose tokenizer gives other ids to the tokens of
// base belongs to another model: the error has a *tokenizer.OtherVocabulary.
func LoadOver(base, dir, name string) (*tokenizer.Tokenizer, error) {
	tok, err := LoadTokenizer(dir, name)
	if err != nil || dir == base {
		return tok, err
	}
	under, err := tokenizer.Load(base)
	if errors.Is(err, fs.ErrNotExist) {
		return tok, nil
	}
	if err != nil {
		return nil, err
	}
	if err := tok.Extends(under); err != nil {
		return nil, fmt.Errorf("the adapter %s does not belong to the model %s: %w", dir, base, err)
	}
	return tok, nil
}

// Load is LoadTokenizer and New.
func Load(dir, name string) (*Format, error) {
	tok, err := LoadTokenizer(dir, name)
	if err != nil {
		return nil, err
	}
	f, err := New(tok)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return f, nil
}

// Tokenizer returns the tokenizer that f lays out chats for. It has f's template.
func (f *Format) Tokenizer() *tokenizer.Tokenizer { return f.tok }
