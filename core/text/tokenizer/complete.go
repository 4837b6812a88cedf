package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// complete sets what tokenizer.json does not contain. If the vocabulary has Llama 3's end of
// text, this token ends documents, whatever eos_token says, because chat models set eos_token
// to the end of turn. Without tokenizer_config.json the usual names count.
//
// v.BOS is the token that the post-processor puts before a text, if it does that.
func (c *config) complete(v *Vocabulary) error {
	if err := c.addTokens(v); err != nil {
		return err
	}
	c.nameByClass(v)
	c.nameSpecial(v)
	var names []string
	for _, a := range v.Added {
		names = append(names, a.Text)
	}
	if v.BOS != "" && c.BOS != "" && v.BOS != string(c.BOS) {
		return fmt.Errorf("the post_processor of %s begins texts with %s, but bos_token is %s: the two must agree", tokenizerFile, v.BOS, c.BOS)
	}
	v.BOS = cmp.Or(string(c.BOS), v.BOS, firstOf(names, NameBeginOfText))
	v.EOS = cmp.Or(firstOf(names, NameEndOfText), string(c.EOS), v.EOS, firstOf(names, NameEndOfTurn))
	if c.missing {
		v.BOS = cmp.Or(v.BOS, firstOf(names, "<s>"))
		v.EOS = cmp.Or(v.EOS, firstOf(names, "</s>", "<|endoftext|>"))
	}
	if c.template.Source != "" {
		c.template.Stop = string(c.EOS)
	}
	if c.AddBOS != nil {
		v.NoBOS = !*c.AddBOS
	}
	if m := c.MaxLength; m != nil && *m > 0 && *m < 1<<31 {
		v.MaxLength = int(*m)
	}
	return nil
}

// addTokens adds the tokens that only added_tokens_decoder has, in the order of their ids, as
// transformers does when it loads a tokenizer.
func (c *config) addTokens(v *Vocabulary) error {
	known := map[string]bool{}
	for _, a := range v.Added {
		known[a.Text] = true
	}
	var more []addedJSON
	for key, a := range c.AddedTokens {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || id < 0 {
			return fmt.Errorf("%s: added_tokens_decoder has the key %q, expected the id of a token", configFile, key)
		}
		if a.ID = token.ID(id); a.Content != "" && !known[a.Content] {
			more = append(more, a)
		}
	}
	slices.SortFunc(more, func(a, b addedJSON) int { return int(a.ID - b.ID) })
	for _, a := range more {
		switch next := token.ID(len(v.Tokens)); {
		case a.ID > next:
			return fmt.Errorf("%s: added_tokens_decoder: %q has id %d, but the vocabulary ends at %d: no token has the ids between", configFile, a.Content, a.ID, next-1)
		case a.ID == next:
			v.Tokens = append(v.Tokens, a.Content)
		case v.Tokens[a.ID] != a.Content:
			return fmt.Errorf("%s: added_tokens_decoder: %q has id %d, but %q has that id in the vocabulary", configFile, a.Content, a.ID, v.Tokens[a.ID])
		}
		v.Added = append(v.Added, a.added())
	}
	return nil
}

// Named returns the token that a field of tokenizer_config.json or special_tokens_map.json names,
// such as pad_token, or None and false. BOS, EOS and StopName are herd's own answers for the fields
// that determine how texts are encoded.
func (t *Tokenizer) Named(field string) (token.ID, bool) {
	var name nameJSON
	if value := t.carried[field]; value == nil || json.Unmarshal(value, &name) != nil {
		return None, false
	}
	return t.Special(string(name))
}

// WithNamed returns a copy of t whose tokenizer_config.json names a token in a field.
func (t *Tokenizer) WithNamed(field string, id token.ID) *Tokenizer {
	return t.withField(field, t.Token(id))
}

// withField returns a copy of t with another value of a field of tokenizer_config.json.
func (t *Tokenizer) withField(field string, value any) *Tokenizer {
	with := *t
	with.carried = maps.Clone(t.carried)
	if with.carried == nil {
		with.carried = map[string]json.RawMessage{}
	}
	if text, err := encodeJSON(value, ""); err == nil { // strings always are JSON
		with.carried[field] = text
	}
	return &with
}

// ofClass holds the bos_token and eos_token that transformers' classes use if a file names none.
var ofClass = map[string][2]nameJSON{
	"CodeLlamaTokenizer": {"<s>", "</s>"},
	"GemmaTokenizer":     {"<bos>", "<eos>"},
	"GPT2Tokenizer":      {"<|endoftext|>", "<|endoftext|>"},
	"GPTNeoXTokenizer":   {"<|endoftext|>", "<|endoftext|>"},
	"LlamaTokenizer":     {"<s>", "</s>"},
	"Qwen2Tokenizer":     {"", "<|endoftext|>"},
}

// nameByClass names the beginning and the end of text by the class of the tokenizer if no file does
// and the vocabulary has them.
func (c *config) nameByClass(v *Vocabulary) {
	names := ofClass[strings.TrimSuffix(c.Class, "Fast")]
	silent := func(key string, name nameJSON) bool {
		return c.carried[key] == nil && slices.Contains(v.Tokens, string(name))
	}
	if v.BOS == "" && silent("bos_token", names[0]) {
		c.BOS = names[0]
	}
	if silent("eos_token", names[1]) {
		c.EOS = names[1]
	}
}

// nameSpecial makes special tokens of the beginning and the end of text if the vocabulary has them
// as ordinary tokens, as transformers does.
func (c *config) nameSpecial(v *Vocabulary) {
	for _, name := range []string{string(c.BOS), v.BOS, string(c.EOS)} {
		added := slices.ContainsFunc(v.Added, func(a Added) bool { return a.Text == name })
		if id := slices.Index(v.Tokens, name); name != "" && id >= 0 && !added {
			v.Added = append(v.Added, Added{ID: token.ID(id), Text: name, Special: true})
		}
	}
}
