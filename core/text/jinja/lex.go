package jinja

import (
	"strconv"
	"strings"
)

type kind uint8

const (
	data kind = iota // text outside of tags
	beginBlock
	endBlock
	beginVariable
	endVariable
	name
	str
	integer
	float
	operator
	end
)

type lexeme struct {
	kind kind
	text string
	line int
}

// is reports whether the lexeme is the given name or operator.
func (l lexeme) is(k kind, text string) bool { return l.kind == k && l.text == text }

func (l lexeme) String() string {
	switch l.kind {
	case end:
		return "the end of the template"
	case endBlock:
		return `"%}"`
	case endVariable:
		return `"}}"`
	}
	return strconv.Quote(l.text)
}

// lexer splits a template into lexemes, as Jinja's lexer does with trim_blocks and lstrip_blocks:
// it drops the first newline after a block or comment, and white space between the start of a line
// and a block or comment.
type lexer struct {
	src       string
	pos       int
	lexemes   []lexeme
	lineStart bool // whether the last text ended with a newline
	line      int  // line number at counted
	counted   int  // byte up to which line counts newlines
}

func lex(source string) []lexeme {
	source = newlines.Replace(source)
	l := &lexer{src: strings.TrimSuffix(source, "\n"), lineStart: true, line: 1}
	for l.pos < len(l.src) {
		l.tag()
	}
	l.emit(end, "")
	return l.lexemes
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func (l *lexer) emit(k kind, text string) {
	l.lexemes = append(l.lexemes, lexeme{k, text, l.lineNow()})
}

// lineNow returns the line of pos.
func (l *lexer) lineNow() int {
	l.line += strings.Count(l.src[l.counted:l.pos], "\n")
	l.counted = l.pos
	return l.line
}

func (l *lexer) rest() string { return l.src[l.pos:] }

// tag reads the text up to the next tag, and then the tag.
func (l *lexer) tag() {
	begin := l.pos
	open := nextTag(l.rest())
	if open < 0 {
		l.pos = len(l.src)
		l.lexemes = append(l.lexemes, lexeme{data, l.src[begin:], l.line})
		return
	}
	l.pos += open
	which := l.src[l.pos+1]
	l.pos += 2
	sign := l.sign()
	l.text(l.src[begin:begin+open], sign, which == '{')
	switch which {
	case '#':
		l.comment()
	case '{':
		l.emit(beginVariable, "{{")
		l.inside("}}", endVariable)
	default:
		if l.raw() {
			return
		}
		l.emit(beginBlock, "{%")
		l.inside("%}", endBlock)
	}
}

// nextTag returns the index of the first tag in s, or -1.
func nextTag(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '%' || s[i+1] == '{' || s[i+1] == '#') {
			return i
		}
	}
	return -1
}

func (l *lexer) sign() byte {
	if s := l.rest(); s != "" && (s[0] == '-' || s[0] == '+') {
		l.pos++
		return s[0]
	}
	return 0
}

// text emits the text before a tag with the given sign.
func (l *lexer) text(s string, sign byte, variable bool) {
	switch {
	case sign == '-':
		s = strings.TrimRightFunc(s, isSpace)
	case sign == 0 && !variable:
		start := strings.LastIndexByte(s, '\n') + 1
		if (start > 0 || l.lineStart) && strings.TrimFunc(s[start:], isSpace) == "" {
			s = s[:start]
		}
	}
	if s != "" {
		l.emit(data, s)
	}
	l.lineStart = false
}

// close skips the end of a tag, which is length bytes long, and the white space that it strips: all
// of it after a minus, none after a plus, otherwise one newline if trim is set.
func (l *lexer) close(sign byte, length int, trim bool) {
	l.pos += length
	rest := l.rest()
	switch {
	case sign == '-':
		l.pos = len(l.src) - len(strings.TrimLeftFunc(rest, isSpace))
	case sign == 0 && trim && strings.HasPrefix(rest, "\n"):
		l.pos++
	}
	l.lineStart = l.pos > 0 && l.src[l.pos-1] == '\n'
}

func (l *lexer) comment() {
	n := strings.Index(l.rest(), "#}")
	if n < 0 {
		failAt(l.lineNow(), "a comment has no end: #} is missing")
	}
	l.closeAfter(n)
}

// closeAfter closes a tag whose two-character end begins n bytes ahead.
func (l *lexer) closeAfter(n int) {
	var sign byte
	if c := l.src[l.pos+n-1]; n > 0 && (c == '-' || c == '+') {
		sign = c
	}
	l.close(sign, n+2, true)
}

// raw reads {% raw %} up to its end, if this is the current block.
func (l *lexer) raw() bool {
	after, ok := strings.CutPrefix(strings.TrimLeftFunc(l.rest(), isSpace), "raw")
	if !ok {
		return false
	}
	after = strings.TrimLeftFunc(after, isSpace)
	var sign byte
	if strings.HasPrefix(after, "-%}") {
		sign, after = '-', after[1:]
	}
	if !strings.HasPrefix(after, "%}") {
		return false
	}
	l.pos = len(l.src) - len(after)
	l.close(sign, 2, false)
	l.lineStart = false
	begin := l.pos
	for {
		open := strings.Index(l.rest(), "{%")
		if open < 0 {
			failAt(l.lineNow(), "{%% raw %%} has no end")
		}
		l.pos += open
		if l.endRaw(l.src[begin:l.pos]) {
			return true
		}
		l.pos += 2
	}
}

// endRaw reads {% endraw %} if it is next, and emits the text before it.
func (l *lexer) endRaw(text string) bool {
	before := l.pos
	l.pos += 2
	sign := l.sign()
	after, ok := strings.CutPrefix(strings.TrimLeftFunc(l.rest(), isSpace), "endraw")
	trimmed := strings.TrimLeftFunc(after, isSpace)
	unsigned := strings.TrimLeft(trimmed, "+-")
	if !ok || !strings.HasPrefix(unsigned, "%}") || len(trimmed)-len(unsigned) > 1 {
		l.pos = before
		return false
	}
	l.text(text, sign, false)
	l.pos = len(l.src) - len(trimmed)
	l.closeAfter(len(trimmed) - len(unsigned))
	return true
}
