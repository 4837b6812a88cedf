package tokenizer

import "unicode/utf8"

// Splitters for expressions that isolate some characters of a text: the first piece is a match
// at the start of the text, or the text before the first match.

// isolate isolates runs of the set, of at most most characters.
func isolate(text string, set class, most int) int {
	if n := run(text, set, most); n > 0 {
		return n
	}
	return skip(text, 0, ^set)
}

// isolateBehindBlank isolates `\s?[set]+`.
func isolateBehindBlank(text string, set class) int {
	for i := 0; ; {
		c, n := classAt(text, i)
		if n == 0 {
			return i
		}
		start := i
		if c&blanks != 0 {
			start += n
		}
		end := skip(text, start, set)
		switch {
		case end > start && i == 0:
			return end
		case end > start:
			return i
		}
		i += n
	}
}

// isolateHan isolates hanAndHangul.
func isolateHan(text string) int {
	end, inside := 0, false
	for end < len(text) {
		r, n := utf8.DecodeRuneInString(text[end:])
		han := 0x0800 <= r && r <= 0x9fa5 || 0xac00 <= r && r <= 0xd7ff
		if end > 0 && han != inside {
			break
		}
		end, inside = end+n, han
	}
	return end
}
