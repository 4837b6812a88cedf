package convert

import (
	"fmt"

	"github.com/herd-lm/herd/core/tokenizer"
)

// preTokenizer is one of llama.cpp's ways to cut text before byte-level BPE, with
// what it implies (llama-vocab.cpp).
type preTokenizer struct {
	name        string
	pattern     tokenizer.Pattern
	wholePieces bool // a piece that is a token is that token, whatever merges say
	addBOS      bool // unless the file says otherwise
}

// preTokenizers are those that have a pattern of ours. Of several names for the
// same the first is written.
var preTokenizers = []preTokenizer{
	{"llama-bpe", tokenizer.Llama3, true, true},
	{"llama3", tokenizer.Llama3, true, true},
	{"llama-v3", tokenizer.Llama3, true, true},
	{"smaug-bpe", tokenizer.Llama3, false, false},
	{"dbrx", tokenizer.Llama3, false, false},
	{"gpt-2", tokenizer.GPT2, false, false},
	{"mpt", tokenizer.GPT2, false, false},
	{"olmo", tokenizer.GPT2, false, false},
}

// preOf returns the way of cutting text that a GGUF file names.
func preOf(name string) (preTokenizer, error) {
	for _, p := range preTokenizers {
		if p.name == name {
			return p, nil
		}
	}
	return preTokenizer{}, fmt.Errorf("%s is %q, a way of cutting text that is not implemented: give the model's own tokenizer.json with --tokenizer", keyPre, name)
}

// preFor returns llama.cpp's name for how v cuts text.
func preFor(v tokenizer.Vocabulary) (string, error) {
	for _, p := range preTokenizers {
		if p.pattern == v.Pattern && p.wholePieces == v.WholePieces {
			return p.name, nil
		}
	}
	return "", fmt.Errorf("llama.cpp has no name for how its tokenizer cuts text: %v", v.Pattern)
}
