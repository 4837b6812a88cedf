package tokenizer

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/dlclark/regexp2"
)

// Pattern splits text into pieces before byte-level BPE. Merges never cross the border of a piece.
//
// It has one regular expression per line, in Oniguruma's syntax as in tokenizer.json. The first
// splits text into its matches and the text between them. Each of the others splits the pieces
// of the line before. "" means Llama3.
type Pattern string

// Patterns of models. Each of their lines has a splitter written by hand. regexp2 runs other
// patterns, about fifty times slower.
const (
	// Llama3 is the pattern of Llama 3 and of OpenAI's cl100k_base. A piece has up to three
	// digits.
	Llama3 Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// Qwen2 is Llama3 with one digit per piece.
	Qwen2 Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// GPT2 is the pattern of GPT-2 and GPT-NeoX.
	GPT2 Pattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	// StarCoder is the pattern of StarCoder and SmolLM2: one digit per piece, and GPT-2's
	// pattern for the text between digits.
	StarCoder = singleDigits + "\n" + GPT2
	// O200K is the pattern of OpenAI's o200k_base (GPT-4o) and of Llama 4. A capital after
	// small letters begins a new piece.
	O200K Pattern = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// Tekken is the pattern of Mistral Nemo.
	Tekken Pattern = `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	// DeepSeekCoder is the pattern of the first DeepSeek Coder.
	DeepSeekCoder = lineBreaks + "\n" + blankAndLetters + "\n" + blankAndPunctuation + "\n" + hanAndHangul + "\n" + singleDigits
	// Whole does not split text.
	Whole Pattern = `(?s).+`
)

// Lines of patterns.
const (
	singleDigits        Pattern = `\p{N}`
	digitRuns           Pattern = `\p{N}+`
	lineBreaks          Pattern = `[\r\n]`
	blankAndLetters     Pattern = `\s?\p{L}+`
	blankAndPunctuation Pattern = `\s?\p{P}+`
	hanAndHangul        Pattern = `[一-龥ࠀ-一가-퟿]+`
)

// firstPiece returns the hand-written splitter of the line p, or nil. It returns the length in
// bytes of the first piece of a text, which must not be empty.
func (p Pattern) firstPiece() func(text string) int {
	switch p {
	case Llama3:
		return splitLlama3
	case Qwen2:
		return splitQwen2
	case GPT2:
		return splitGPT2
	case O200K:
		return splitO200K
	case Tekken:
		return splitTekken
	case Whole:
		return whole
	case singleDigits:
		return func(text string) int { return isolate(text, number, 1) }
	case digitRuns:
		return func(text string) int { return isolate(text, number, len(text)) }
	case lineBreaks:
		return func(text string) int { return isolate(text, newline, 1) }
	case blankAndLetters:
		return func(text string) int { return isolateBehindBlank(text, letters) }
	case blankAndPunctuation:
		return func(text string) int { return isolateBehindBlank(text, punctuation) }
	case hanAndHangul:
		return isolateHan
	}
	return nil
}

// cutsAll reports whether p is a known line whose matches cover all of a text.
func (p Pattern) cutsAll() bool {
	return slices.Contains([]Pattern{Llama3, Qwen2, GPT2, O200K, Tekken, Whole}, p)
}

// String returns the regular expressions, one per line.
func (p Pattern) String() string {
	if p == "" {
		return string(Llama3)
	}
	return string(p)
}

// lines returns the regular expressions.
func (p Pattern) lines() (all []Pattern) {
	for line := range strings.SplitSeq(p.String(), "\n") {
		all = append(all, Pattern(line))
	}
	return all
}

// splitter splits a text into pieces without gaps between them.
type splitter func(text string) iter.Seq[string]

// splitter returns the splitter for all lines.
func (p Pattern) splitter() (splitter, error) {
	var all splitter
	for _, line := range p.lines() {
		step, err := line.step()
		if err != nil {
			return nil, err
		}
		all = all.then(step)
	}
	return all, nil
}

// then returns a splitter that splits the pieces of s with next.
func (s splitter) then(next splitter) splitter {
	if s == nil {
		return next
	}
	return func(text string) iter.Seq[string] {
		return func(yield func(string) bool) {
			for piece := range s(text) {
				for part := range next(piece) {
					if !yield(part) {
						return
					}
				}
			}
		}
	}
}

// step returns the splitter for the line p.
func (p Pattern) step() (splitter, error) {
	if first := p.firstPiece(); first != nil {
		return repeat(first), nil
	}
	re, err := p.compile()
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", p, err)
	}
	return func(text string) iter.Seq[string] { return isolateMatches(re, text) }, nil
}

// compile compiles the line p. regexp2 folds each character to lower case, so the long s (U+017F)
// does not match s. It does in the engines of Hugging Face and OpenAI (testdata/hf.json has such a
// text).
func (p Pattern) compile() (*regexp2.Regexp, error) {
	return regexp2.Compile(strings.ReplaceAll(string(p), `(?i:'s|`, `(?i:'s|'ſ|`), regexp2.None)
}

// repeat returns a splitter that calls first for the length of each piece in turn.
func repeat(first func(string) int) splitter {
	return func(text string) iter.Seq[string] {
		return func(yield func(string) bool) {
			for len(text) > 0 {
				n := first(text)
				if !yield(text[:n]) {
					return
				}
				text = text[n:]
			}
		}
	}
}

// isolateMatches yields the matches of re and the text between them.
func isolateMatches(re *regexp2.Regexp, text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		at, i := 0, 0 // position in text, in bytes and in characters
		cut := func(to int) bool {
			start := at
			for ; i < to; i++ {
				at += firstRune(text[at:])
			}
			return start == at || yield(text[start:at])
		}
		m, err := re.FindStringMatch(text)
		for ; m != nil && err == nil; m, err = re.FindNextMatch(m) {
			if !cut(m.Index) || !cut(m.Index+m.Length) {
				return
			}
		}
		if at < len(text) {
			yield(text[at:])
		}
	}
}
