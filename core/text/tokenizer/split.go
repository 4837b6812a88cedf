package tokenizer

import "strings"

// This file has the splitters of patterns whose one regular expression covers all of a text. Each
// returns the length of the first piece. It tries the alternatives of the expression in order.

func splitLlama3(text string) int { return splitCL100K(text, 3) }
func splitQwen2(text string) int  { return splitCL100K(text, 1) }

// splitCL100K puts at most the given number of digits into a piece.
func splitCL100K(text string, most int) int {
	if n := contraction(text, true); n > 0 {
		return n
	}
	c, n := classAt(text, 0)
	switch {
	case c&letters != 0:
		return skip(text, n, letters)
	case c == number:
		return run(text, number, most)
	case c != newline: // [^\r\n\p{L}\p{N}]?\p{L}+
		if end := skip(text, n, letters); end > n {
			return end
		}
	}
	if end := symbols(text); end > 0 { // ` ?[^\s\p{L}\p{N}]+[\r\n]*`
		return skip(text, end, newline)
	}
	return whiteSpace(text, true)
}

// splitGPT2 returns the length of the first piece of text for GPT2.
func splitGPT2(text string) int {
	if n := contraction(text, false); n > 0 {
		return n
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	c, n := classAt(text, start)
	for _, set := range [...]class{letters, number, others} {
		if n > 0 && c&set != 0 {
			return skip(text, start+n, set)
		}
	}
	return whiteSpace(text, false)
}

func splitO200K(text string) int {
	if n := capitalised(text); n > 0 {
		return n + contractionAt(text, n)
	}
	return splitBehindWords(text, 3)
}

func splitTekken(text string) int {
	if n := capitalised(text); n > 0 {
		return n
	}
	return splitBehindWords(text, 1)
}

// splitBehindWords tries the alternatives of O200K and Tekken that follow those for words.
func splitBehindWords(text string, most int) int {
	if c, _ := classAt(text, 0); c == number {
		return run(text, number, most)
	}
	if end := symbols(text); end > 0 { // ` ?[^\s\p{L}\p{N}]+[\r\n/]*`
		for end < len(text) && strings.IndexByte("\r\n/", text[end]) >= 0 {
			end++
		}
		return end
	}
	return whiteSpace(text, true)
}

// capitalised returns the length of the word at the start of text, or 0. With B for begins and G
// for goesOn, a word is [^\r\n\p{L}\p{N}]?B*G+ or else [^\r\n\p{L}\p{N}]?B+G*. It tries each first
// with the optional character in front, then without.
func capitalised(text string) int {
	front := 0
	if c, n := classAt(text, 0); c&(letters|number|newline) == 0 {
		front = n
	}
	for _, word := range [...]func(string, int) int{lowerWord, upperWord} {
		if end := word(text, front); end > front {
			return end
		}
		if end := word(text, 0); end > 0 {
			return end
		}
	}
	return 0
}

// lowerWord returns the end of B*G+ at text[i:], or i. If no G follows B*, then B* backtracks to
// the last character that is in both B and G.
func lowerWord(text string, i int) int {
	end, shared := i, i
	for {
		c, n := classAt(text, end)
		if n == 0 || c&begins == 0 {
			break
		}
		if end += n; c&goesOn != 0 {
			shared = end
		}
	}
	if last := skip(text, end, goesOn); last > end {
		return last
	}
	return shared
}

// upperWord returns the end of B+G* at text[i:] where B*G+ does not match, or i.
func upperWord(text string, i int) int { return skip(text, i, begins) }

// contraction returns the length of the English contraction at the start of text
// ('s 't 're 've 'm 'll 'd), or 0. If fold is set, it ignores case.
func contraction(text string, fold bool) int {
	if text[0] != '\'' || len(text) < 2 {
		return 0
	}
	for _, suffix := range [...]string{"s", "t", "re", "ve", "m", "ll", "d"} {
		end := 1 + len(suffix)
		if len(text) < end {
			continue
		}
		if got := text[1:end]; got == suffix || fold && strings.EqualFold(got, suffix) {
			return end
		}
	}
	// U+017F, the long s, is the only other character that folds to one of these
	// letters. Hugging Face's and OpenAI's engines both let it match.
	if fold && strings.HasPrefix(text[1:], "ſ") {
		return 1 + len("ſ")
	}
	return 0
}

// contractionAt is contraction for text[i:] and ignores case.
func contractionAt(text string, i int) int {
	if i == len(text) {
		return 0
	}
	return contraction(text[i:], true)
}

// symbols returns the end of ` ?[^\s\p{L}\p{N}]+` at the start of text, or 0.
func symbols(text string) int {
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	if end := skip(text, start, others); end > start {
		return end
	}
	return 0
}

// run returns the length in bytes of the run of characters in the set at the start of text. It
// counts at most the given number of characters.
func run(text string, set class, most int) int {
	end := 0
	for range most {
		c, n := classAt(text, end)
		if n == 0 || c&set == 0 {
			break
		}
		end += n
	}
	return end
}

// whiteSpace returns the length of the first piece of a text that starts with white space. If lines
// is set and the run has a newline, the piece ends after the last one (`\s*[\r\n]+`). Otherwise it
// is the run without its last character, which goes to the following word (`\s+(?!\S)`), or else
// the whole run.
func whiteSpace(text string, lines bool) int {
	end, last, lastNewline := 0, 0, 0
	for {
		c, n := classAt(text, end)
		if n == 0 || c&blanks == 0 {
			break
		}
		last, end = end, end+n
		if c == newline {
			lastNewline = end
		}
	}
	switch {
	case lines && lastNewline > 0:
		return lastNewline
	case end == len(text) || last == 0:
		return end
	}
	return last
}
