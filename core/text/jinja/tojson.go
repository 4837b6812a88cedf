package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonWriter writes values as Python's json.dumps(ensure_ascii=False).
type jsonWriter struct {
	*machine
	builder
	indent              string // of one level; "" writes one line
	comma, colon        string
	asciiOnly, sortKeys bool
}

func (w *jsonWriter) value(v Value, level int) {
	w.nest()
	defer w.unnest()
	w.work(valueWork)
	switch v := v.(type) {
	case nil:
		w.literal("null")
	case bool:
		w.literal(strconv.FormatBool(v))
	case int64:
		w.literal(strconv.FormatInt(v, 10))
	case float64:
		w.literal(map[string]string{"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[formatFloat(v)])
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			w.literal(formatFloat(v))
		}
	case Text:
		w.text(v)
	case *List:
		if v.kind == iterator {
			fail("cannot write an iterator as JSON: make it a list")
		}
		w.sequence("[", "]", len(v.items), level, func(i int) { w.value(v.items[i], level+1) })
	case *Dict:
		if w.sortKeys {
			v = w.sortedKeys(v)
		}
		w.sequence("{", "}", len(v.keys), level, func(i int) {
			w.key(v.keys[i])
			w.literal(w.colon)
			w.value(v.values[i], level+1)
		})
	default:
		fail("cannot write %s as JSON", describe(v))
	}
}

func (w *jsonWriter) sortedKeys(d *Dict) *Dict {
	pairs := w.pairs(d)
	w.sort(pairs.items, false, func(v Value) Value { return v.(*List).items[0] })
	return newDict(&args{values: []Value{pairs}})
}

// sequence writes n elements between brackets.
func (w *jsonWriter) sequence(opening, closing string, n, level int, element func(int)) {
	w.literal(opening)
	for i := range n {
		if i > 0 {
			w.literal(w.comma)
		}
		w.newline(level + 1)
		element(i)
	}
	if n > 0 {
		w.newline(level)
	}
	w.literal(closing)
}

func (w *jsonWriter) newline(level int) {
	if w.indent != "" {
		w.work(len(w.indent) * level)
		w.literal("\n" + strings.Repeat(w.indent, level))
	}
}

func (w *jsonWriter) key(k Value) {
	t, ok := k.(Text)
	if !ok {
		inner := jsonWriter{machine: w.machine}
		inner.value(k, 0)
		t = inner.builder.text()
	}
	w.text(t)
}

func (w *jsonWriter) text(t Text) {
	w.work(len(t.s))
	w.literal(`"`)
	w.add(t.convert(w.escape))
	w.literal(`"`)
}

var jsonEscapes = map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

func (w *jsonWriter) escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		short, ok := jsonEscapes[r]
		switch {
		case ok:
			b.WriteString(short)
		case r < ' ' || w.asciiOnly && r > '~' && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case w.asciiOnly && r >= 0x10000:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			_, n := utf8.DecodeRuneInString(s[i:]) // keep a byte that is not UTF-8
			b.WriteString(s[i : i+n])
		}
	}
	return b.String()
}
