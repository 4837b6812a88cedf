package tokenizer

import "unicode/utf8"

// Splitters of expressions that cut some characters out of a text: the first
// piece is a match that text starts with, or what lies before the next one.

// isolate cuts out runs of the set of at most most characters.
func isolate(text string, set class, most int) int {
	if n := run(text, set, most); n > 0 {
		return n
	}
	return skip(text, 0, ^set)
}

// isolateBehindBlank cuts out `\s?[set]+`.
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

// isolateHan cuts out hanAndHangul.
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
