package jinja

import (
	"strconv"
	"strings"
)

// percent is Python's "..." % values, with %s, %d and %%.
func (m *machine) percent(t Text, v Value) Text {
	values := []Value{v}
	if list, ok := v.(*List); ok && list.kind == tuple {
		values = list.items
	}
	return m.fill(t, "%", func(rest string, b *builder) int {
		if strings.HasPrefix(rest, "%%") {
			b.literal("%")
			return 2
		}
		if len(rest) < 2 || rest[1] != 's' && rest[1] != 'd' || len(values) == 0 {
			fail("cannot format %.10q: expected %%s or %%d, and a value for each", rest)
		}
		b.add(m.escaping(m.str(values[0]), t.safe))
		values = values[1:]
		return 2
	})
}

// format is Python's str.format with {}, {0} and {name}.
func (m *machine) format(t Text, a *args) Text {
	next := 0
	return m.fill(t, "{}", func(rest string, b *builder) int {
		if strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}") {
			b.literal(rest[:1])
			return 2
		}
		end := strings.IndexByte(rest, '}')
		if end < 1 {
			fail("unmatched brace at %.10q", rest)
		}
		key := rest[1:end]
		i, err := strconv.Atoi(key)
		if key == "" {
			i, err = next, nil
			next++
		}
		if err != nil {
			i = len(a.values)
		}
		v, ok := a.find(max(i, 0), key)
		if !ok {
			fail("no value for {%.20s}", key)
		}
		b.add(m.escaping(m.str(v), t.safe))
		return end + 1
	})
}

// fill copies t. At each of the given characters it calls put, which writes a replacement and
// returns the number of bytes that it replaces.
func (m *machine) fill(t Text, characters string, put func(rest string, b *builder) int) Text {
	var b builder
	safe := t.safe
	for {
		at := strings.IndexAny(t.s, characters)
		if at < 0 {
			b.add(t)
			m.work(len(b.s))
			return b.text().as(safe)
		}
		b.add(t.Slice(0, at))
		n := at + put(t.s[at:], &b)
		m.work(len(b.s)/16 + len(t.s)/8 + 1)
		t = t.Slice(n, len(t.s))
	}
}
