package convert

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/text/tokenizer"
)

// preTokenizer is one of llama.cpp's ways to split text before byte-level BPE, with its
// implications (llama-vocab.cpp).
type preTokenizer struct {
	name        string
	pattern     tokenizer.Pattern
	form        tokenizer.Form // llama.cpp does not normalise, the models' own tokenizers do
	wholePieces bool           // a piece that is a token stays whole, whatever the merges say
	addBOS      bool           // unless the file says otherwise
}

// preTokenizers are those whose pattern herd knows. Of several names for one pattern herd writes
// the first.
var preTokenizers = []preTokenizer{
	{name: "llama-bpe", pattern: tokenizer.Llama3, wholePieces: true, addBOS: true},
	{name: "llama3", pattern: tokenizer.Llama3, wholePieces: true, addBOS: true},
	{name: "llama-v3", pattern: tokenizer.Llama3, wholePieces: true, addBOS: true},
	{name: "smaug-bpe", pattern: tokenizer.Llama3},
	{name: "dbrx", pattern: tokenizer.Llama3},
	{name: "qwen2", pattern: tokenizer.Qwen2, form: "NFC"},
	{name: "deepseek-r1-qwen", pattern: tokenizer.Qwen2, form: "NFC"},
	{name: "stablelm2", pattern: tokenizer.Qwen2},
	{name: "gpt-2", pattern: tokenizer.GPT2},
	{name: "mpt", pattern: tokenizer.GPT2},
	{name: "olmo", pattern: tokenizer.GPT2},
	{name: "smollm", pattern: tokenizer.StarCoder},
	{name: "starcoder", pattern: tokenizer.StarCoder},
	{name: "refact", pattern: tokenizer.StarCoder},
	{name: "gpt-4o", pattern: tokenizer.O200K},
	{name: "llama4", pattern: tokenizer.O200K},
	{name: "tekken", pattern: tokenizer.Tekken, wholePieces: true, addBOS: true},
	{name: "deepseek-coder", pattern: tokenizer.DeepSeekCoder},
}

// preOf returns the pre-tokenizer that a GGUF file names.
func preOf(name string) (preTokenizer, error) {
	for _, p := range preTokenizers {
		if p.name == name {
			return p, nil
		}
	}
	return preTokenizer{}, &NoTokenizer{fmt.Sprintf("%s is %q, a pre-tokenizer that herd does not know: use the model's own tokenizer.json in its place", keyPre, name)}
}

// preFor returns llama.cpp's name for the way v splits text. llama.cpp never normalises text, so
// preFor ignores a difference in that.
func preFor(v tokenizer.Vocabulary) (string, error) {
	var near []string // names that differ in ways that may not matter
	for _, p := range preTokenizers {
		switch {
		case p.pattern.String() != v.Pattern.String():
		case p.wholePieces == v.WholePieces && p.form == v.Form:
			return p.name, nil
		default:
			near = append(near, p.name)
		}
	}
	if len(near) > 0 && mergesMakeAll(v) {
		return near[0], nil
	}
	return "", fmt.Errorf("llama.cpp cannot split text as its tokenizer does, by the pattern %s", v.Pattern)
}

// mergesMakeAll reports whether merges produce every token from its own text. Then it does not
// matter whether whole pieces are looked up.
func mergesMakeAll(v tokenizer.Vocabulary) bool {
	v.WholePieces = true
	whole, err := tokenizer.New(v)
	if err != nil {
		return false
	}
	v.WholePieces = false
	merged, err := tokenizer.New(v)
	if err != nil {
		return false
	}
	for _, text := range v.Tokens {
		if !slices.Equal(whole.Encode(text), merged.Encode(text)) {
			return false
		}
	}
	return true
}
