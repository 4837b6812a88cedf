package report

import (
	"fmt"
	"strings"
	"unicode"
)

// shorten leaves out the middle of a text of more than most characters, since
// answers stand at the end, and makes visible what is no text.
func shorten(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) > most { // bytes: no more characters than these
		if all := []rune(s); len(all) > most {
			head, tail := most*2/3, most-most*2/3
			s = fmt.Sprintf("%s [… %d characters …] %s", string(all[:head]), len(all)-most, string(all[len(all)-tail:]))
		}
	}
	return strings.Clone(visible(s)) // a short text of a table may be a piece of a large buffer
}

// visible escapes control characters, and the marks that reorder what the reader
// sees (CVE-2021-42574). Lines and tabs stay.
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
		case r < 0x20: // the pictures of control characters
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
