package tokenizer

import "strings"

// splitLlama3 returns the length of the first piece of text under Llama3. The
// alternatives of the pattern are tried in its order.
func splitLlama3(text string) int {
	if n := contraction(text, true); n > 0 {
		return n
	}
	c, n := classAt(text, 0)
	switch c {
	case letter:
		return skip(text, n, letter)
	case number:
		return digits(text, n, 3)
	case space, other: // [^\r\n\p{L}\p{N}]?\p{L}+
		if end := skip(text, n, letter); end > n {
			return end
		}
	}
	if c == other || text[0] == ' ' { // ` ?[^\s\p{L}\p{N}]+[\r\n]*`
		start := n
		if c == other {
			start = 0
		}
		if end := skip(text, start, other); end > start {
			return skip(text, end, newline)
		}
	}
	return blanks(text, true)
}

// splitGPT2 returns the length of the first piece of text under GPT2.
func splitGPT2(text string) int {
	if n := contraction(text, false); n > 0 {
		return n
	}
	start := 0
	if text[0] == ' ' {
		start = 1
	}
	c, n := classAt(text, start)
	if n > 0 && c != space && c != newline {
		return skip(text, start+n, c)
	}
	return blanks(text, false)
}

// contraction returns the length of the English contraction that text starts
// with ('s 't 're 've 'm 'll 'd), or 0.
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

// digits returns the end of at most most number characters, the first of which
// ends at i.
func digits(text string, i, most int) int {
	for count := 1; count < most; count++ {
		c, n := classAt(text, i)
		if n == 0 || c != number {
			break
		}
		i += n
	}
	return i
}

// blanks returns the length of the piece at the start of text, which starts
// with white space: up to the last newline of the run if there is one and lines
// is set (`\s*[\r\n]+`); else the run without its last character, which is left
// to the word that follows (`\s+(?!\S)`); else the run.
func blanks(text string, lines bool) int {
	end, last, lastNewline := 0, 0, 0
	for {
		c, n := classAt(text, end)
		if n == 0 || c != space && c != newline {
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
