package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// str formats a value as Python's str does.
func (m *machine) str(v Value) Text {
	switch v := v.(type) {
	case Text:
		return v
	case undefined:
		return Text{}
	}
	var b builder
	m.print(&b, v)
	return b.text()
}

// print formats a value as Python's repr does.
func (m *machine) print(b *builder, v Value) {
	m.nest()
	defer m.unnest()
	m.work(valueWork)
	switch v := v.(type) {
	case nil:
		b.literal("None")
	case bool:
		b.literal(map[bool]string{false: "False", true: "True"}[v])
	case int64:
		b.literal(strconv.FormatInt(v, 10))
	case float64:
		b.literal(formatFloat(v))
	case Text:
		m.quote(b, v)
	case *List:
		m.printList(b, v)
	case *Dict:
		b.literal("{")
		for i, key := range v.keys {
			b.literal(separator(i))
			m.print(b, key)
			b.literal(": ")
			m.print(b, v.values[i])
		}
		b.literal("}")
	case undefined:
		b.literal("Undefined")
	default:
		fail("cannot print %s", describe(v))
	}
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ", "
}

func (m *machine) printList(b *builder, v *List) {
	opening, closing := "[", "]"
	switch {
	case v.kind == iterator:
		fail("cannot print an iterator: make it a list")
	case v.kind == tuple && len(v.items) == 1:
		opening, closing = "(", ",)"
	case v.kind == tuple:
		opening, closing = "(", ")"
	}
	b.literal(opening)
	for i, item := range v.items {
		b.literal(separator(i))
		m.print(b, item)
	}
	b.literal(closing)
}

// quote formats a text as a Python string literal.
func (m *machine) quote(b *builder, t Text) {
	m.work(len(t.s))
	if t.safe {
		b.literal("Markup(")
		defer b.literal(")")
	}
	mark := "'"
	if strings.Contains(t.s, "'") && !strings.Contains(t.s, `"`) {
		mark = `"`
	}
	b.literal(mark)
	b.add(t.convert(func(s string) string { return escaped(s, mark[0]) }))
	b.literal(mark)
}

func escaped(s string, mark byte) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == rune(mark) || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// formatFloat formats a number as Python's repr does: with the fewest digits that parse to the same
// number.
func formatFloat(x float64) string {
	switch {
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	case math.IsNaN(x):
		return "nan"
	}
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
