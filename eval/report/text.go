package report

import (
	"fmt"
	"strings"
	"unicode"
)

// shorten cuts the middle of a text with more than most characters, because answers are at the end,
// and makes control characters visible.
func shorten(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > most { // a text has at most as many characters as bytes
		if all := []rune(s); len(all) > most {
			head, tail := most*2/3, most-most*2/3
			s = fmt.Sprintf("%s [… %d characters …] %s", string(all[:head]), len(all)-most, string(all[len(all)-tail:]))
		}
	}
	return strings.Clone(visible(s)) // a short text may share a large buffer of the table
}

// visible escapes control characters, and the marks that reorder text on the screen
// (CVE-2021-42574). It keeps newlines and tabs.
func visible(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r < 0x20: // Unicode's pictures of control characters
			b.WriteRune(0x2400 + r)
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		}
	}
	return b.String()
}

func hidden(r rune) bool {
	switch r {
	case '\n', '\t':
		return false
	case 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff:
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}
