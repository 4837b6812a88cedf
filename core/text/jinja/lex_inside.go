package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// inside reads the lexemes of a tag up to its end.
func (l *lexer) inside(closing string, k kind) {
	var open []byte // brackets
	for {
		l.pos = len(l.src) - len(strings.TrimLeftFunc(l.rest(), isSpace))
		rest := l.rest()
		if rest == "" {
			failAt(l.lineNow(), "a tag has no end: %s is missing", closing)
		}
		if len(open) == 0 {
			if sign := endSign(rest, closing, k); sign >= 0 {
				l.emit(k, closing)
				l.close(byte(sign), len(closing)+min(sign, 1), k == endBlock)
				return
			}
		}
		op := l.lexeme(rest)
		switch op {
		case "(", "[", "{":
			open = append(open, op[0])
		case ")", "]", "}":
			if len(open) == 0 || !matches(open[len(open)-1], op[0]) {
				failAt(l.lineNow(), "unexpected %q", op)
			}
			open = open[:len(open)-1]
		}
	}
}

func matches(open, closing byte) bool {
	return open == '(' && closing == ')' || open == '[' && closing == ']' || open == '{' && closing == '}'
}

// endSign returns the sign before the end of the tag, 0 for none, or -1 if rest
// does not begin with the end.
func endSign(rest, closing string, k kind) int {
	switch {
	case strings.HasPrefix(rest, closing):
		return 0
	case strings.HasPrefix(rest[1:], closing) && (rest[0] == '-' || rest[0] == '+' && k == endBlock):
		return int(rest[0])
	}
	return -1
}

// lexeme reads one lexeme of an expression, and returns it if it is an operator.
func (l *lexer) lexeme(rest string) string {
	c := rest[0]
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case '0' <= c && c <= '9':
		l.number(rest)
	case c == '"' || c == '\'':
		l.quoted(rest, c)
	case r == '_' || unicode.IsLetter(r):
		n := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if n < 0 {
			n = len(rest)
		}
		l.emit(name, rest[:n])
		l.pos += n
	default:
		for _, op := range operators {
			if strings.HasPrefix(rest, op) {
				l.emit(operator, op)
				l.pos += len(op)
				return op
			}
		}
		failAt(l.lineNow(), "unexpected character %q", r)
	}
	return ""
}

// operators lists longer operators first.
var operators = []string{"//", "**", "==", "!=", ">=", "<=",
	"+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|", ","}

func (l *lexer) number(rest string) {
	digits := func(i int) int {
		for i < len(rest) && ('0' <= rest[i] && rest[i] <= '9' || rest[i] == '_') {
			i++
		}
		return i
	}
	n, k := digits(0), integer
	afterDot := l.pos > 0 && l.src[l.pos-1] == '.'
	if end := digits(min(n+1, len(rest))); !afterDot && n < len(rest) && rest[n] == '.' && end > n+1 {
		n, k = end, float
	}
	if !afterDot && n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		start := n + 1
		if start < len(rest) && (rest[start] == '+' || rest[start] == '-') {
			start++
		}
		if end := digits(start); end > start {
			n, k = end, float
		}
	}
	l.emit(k, strings.ReplaceAll(rest[:n], "_", ""))
	l.pos += n
}

func (l *lexer) quoted(rest string, quote byte) {
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case quote:
			l.emit(str, l.unescape(rest[1:i]))
			l.pos += i + 1
			return
		}
	}
	failAt(l.lineNow(), "a string has no end: %c is missing", quote)
}

// isSpace matches Python's str.isspace: white space and the four separators of ASCII.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }
