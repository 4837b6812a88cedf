package tokenizer

import "fmt"

// Pattern is the rule by which text is cut into pieces before BPE: merges never
// cross the border of a piece.
type Pattern int

const (
	// Llama3 is the pattern of Llama 3 and of OpenAI's cl100k_base, with up to
	// three digits in a piece.
	Llama3 Pattern = iota
	// GPT2 is the pattern of GPT-2.
	GPT2
)

const (
	llama3Regexp = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	gpt2Regexp   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
)

// String returns the regular expression as tokenizer.json has it.
func (p Pattern) String() string {
	if p == GPT2 {
		return gpt2Regexp
	}
	return llama3Regexp
}

// parsePattern returns the Pattern whose regular expression is given.
func parsePattern(regexp string) (Pattern, error) {
	for _, p := range []Pattern{Llama3, GPT2} {
		if p.String() == regexp {
			return p, nil
		}
	}
	return 0, fmt.Errorf("pre-tokenisation pattern %q is not known: only Llama 3's and GPT-2's are", regexp)
}

// splitter returns the function that gives the length in bytes of the first
// piece of a text that is not empty. Pieces follow each other without gaps.
func (p Pattern) splitter() func(text string) int {
	if p == GPT2 {
		return splitGPT2
	}
	return splitLlama3
}
