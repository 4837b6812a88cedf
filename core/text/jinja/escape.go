package jinja

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// simpleEscapes maps Python's one-letter escapes to their characters.
var simpleEscapes = map[byte]string{
	'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': "\"",
	'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': "",
}

// unescape decodes the escapes of a Python string. It keeps a backslash before any other character.
func (l *lexer) unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++ // the lexer lets no string end in a backslash
		c := s[i]
		if plain, ok := simpleEscapes[c]; ok {
			b.WriteString(plain)
			continue
		}
		i += l.coded(&b, s[i:]) - 1
	}
	return b.String()
}

// coded decodes the numeric escape at the start of s, and returns its length.
func (l *lexer) coded(b *strings.Builder, s string) int {
	digits, base, start := 0, 16, 1
	switch c := s[0]; {
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case '0' <= c && c <= '7':
		base, start = 8, 0
		for digits < 3 && digits < len(s) && '0' <= s[digits] && s[digits] <= '7' {
			digits++
		}
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
		return 1
	}
	end := start + digits
	if end > len(s) {
		failAt(l.lineNow(), "escape \\%.10s is too short", s)
	}
	code, err := strconv.ParseUint(s[start:end], base, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		failAt(l.lineNow(), "escape \\%s is not a character", s[:end])
	}
	b.WriteRune(rune(code))
	return end
}
