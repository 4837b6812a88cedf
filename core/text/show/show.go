// Package show prepares text of any origin for a person to read: cut to a length, on one
// line, without characters that act on a terminal, wrapped.
//
// Use Cut for a value in an error, Line for a message of another program, and Terminal
// and then Wrap for text that goes to a terminal.
package show

import (
	"fmt"
	"strings"
	"unicode"
)

// Cut returns at most the first most bytes of s, and "..." where it leaves something
// out. It never cuts a character.
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// Line returns s on one line of at most most characters, with "..." where it leaves
// something out. White space and control characters become single spaces, and bytes that
// are not UTF-8 become U+FFFD.
func Line(s string, most int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
	line := []rune(strings.Join(words, " "))
	if len(line) > most {
		return string(line[:most]) + "..."
	}
	return string(line)
}

// Terminal escapes what could move the cursor, change the terminal, or reorder what the
// reader sees: control characters, line and paragraph separators, and the marks of
// bidirectional text (CVE-2021-42574). A tab becomes four spaces.
func Terminal(s string) string {
	if !strings.ContainsFunc(s, unsafe) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			b.WriteString("    ")
		case !unsafe(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func unsafe(r rune) bool {
	return unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || unicode.Is(unicode.Bidi_Control, r)
}
