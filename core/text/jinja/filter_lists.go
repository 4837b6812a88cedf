package jinja

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// pluck returns an attribute of a value, for filters with the argument attribute: "a.b", or 0.
func (m *machine) pluck(v, attribute Value) Value {
	switch path := attribute.(type) {
	case nil:
		return v
	case int64:
		return m.item(v, path)
	case Text:
		for _, key := range strings.Split(path.s, ".") {
			m.work(stepWork)
			if n, err := strconv.ParseInt(key, 10, 64); err == nil {
				v = m.item(v, n)
			} else {
				v = m.item(v, literal(key))
			}
		}
		return v
	}
	fail("expected an attribute name or index, not %s", describe(attribute))
	return nil
}

func (m *machine) copied(v Value) *List {
	items := m.each(v)
	m.work(valueWork * len(items))
	return &List{items: slices.Clone(items)}
}

func first(f *frame, v Value, _ *args) Value {
	if l, ok := v.(*List); ok && l.kind == iterator && len(l.items) > 0 {
		next := l.items[0]
		l.items = l.items[1:]
		return next
	}
	if items := f.each(v); len(items) > 0 {
		return items[0]
	}
	return undefined{"an empty list has no first element"}
}

func last(f *frame, v Value, _ *args) Value {
	if isIterator(v) {
		fail("an iterator has no last element: make it a list")
	}
	if items := f.each(v); len(items) > 0 {
		return items[len(items)-1]
	}
	return undefined{"an empty list has no last element"}
}

func items(f *frame, v Value, _ *args) Value {
	switch v := v.(type) {
	case *Dict:
		return f.pairs(v)
	case undefined:
		return &List{}
	}
	fail("%s has no items", describe(v))
	return nil
}

func join(f *frame, v Value, a *args) Value {
	values := f.each(v)
	if by := a.get(1, "attribute", nil); by != nil {
		values = f.plucked(values, by)
	}
	return f.joinAll(values, f.str(a.get(0, "d", Text{})), false)
}

func (m *machine) plucked(values []Value, attribute Value) []Value {
	m.work(valueWork * len(values))
	out := make([]Value, len(values))
	for i, v := range values {
		out[i] = m.pluck(v, attribute)
	}
	return out
}

// mapped applies a filter to each element, or takes an attribute of each. Like Jinja, it takes
// whatever counts as false, such as None, as an empty list.
func mapped(f *frame, v Value, a *args) Value {
	out := &List{kind: iterator}
	if !truth(v) {
		return out
	}
	attribute, byAttribute := a.find(math.MaxInt, "attribute")
	missing := a.get(math.MaxInt, "default", nil)
	if !byAttribute && len(a.values) == 0 {
		fail("map needs the name of a filter, or attribute=")
	}
	for _, item := range f.each(v) {
		f.work(valueWork)
		if !byAttribute {
			out.items = append(out.items, f.filter(a.text(0, "filter", "").s)(f, item, &args{a.values[1:], a.names, a.named}))
			continue
		}
		if item = f.pluck(item, attribute); isUndefined(item) && missing != nil {
			item = missing
		}
		out.items = append(out.items, item)
	}
	return out
}

func (m *machine) filter(name string) func(*frame, Value, *args) Value {
	do := m.filters[name]
	if do == nil {
		fail("unknown filter %q", name)
	}
	return do
}

// choose keeps the elements for which a test of the element or of its attribute holds, or does not
// hold. Without a test it keeps the true ones. Like Jinja, it takes whatever counts as false, such
// as None, as an empty list.
func (m *machine) choose(v Value, a *args, byAttribute, keep bool) Value {
	if !truth(v) {
		return &List{kind: iterator}
	}
	f := &frame{machine: m}
	rest := *a
	var attribute Value
	if byAttribute {
		attribute = a.get(0, "attribute", nil)
		rest.values = rest.values[min(1, len(rest.values)):]
	}
	holds := func(_ *frame, v Value, _ *args) bool { return truth(v) }
	if len(rest.values) > 0 {
		if holds = m.tests[rest.text(0, "test", "").s]; holds == nil {
			fail("unknown test %q", rest.values[0].(Text).s)
		}
		rest.values = rest.values[1:]
	}
	out := &List{kind: iterator}
	for _, item := range m.each(v) {
		m.work(valueWork)
		if holds(f, m.pluck(item, attribute), &rest) == keep {
			out.items = append(out.items, item)
		}
	}
	return out
}

// folded returns the key for sorting and comparing: strings in lower case, unless case_sensitive is
// set.
func (m *machine) folded(v Value, a *args, i int) Value {
	if t, ok := v.(Text); ok && !truth(a.get(i, "case_sensitive", false)) {
		m.work(len(t.s))
		return literal(strings.ToLower(t.s))
	}
	return v
}

func sorted(f *frame, v Value, a *args) Value {
	list := f.copied(v)
	by := a.get(2, "attribute", nil)
	f.sort(list.items, truth(a.get(0, "reverse", false)), func(v Value) Value { return f.folded(f.pluck(v, by), a, 1) })
	return list
}

// sort is stable, also in reverse.
func (m *machine) sort(items []Value, reverse bool, key func(Value) Value) {
	slices.SortStableFunc(items, func(x, y Value) int {
		c := m.order(key(x), key(y))
		if reverse {
			return -c
		}
		return c
	})
}

func dictSort(f *frame, v Value, a *args) Value {
	list := f.pairs(f.dict(v))
	at := 0
	if a.text(1, "by", "key").s == "value" {
		at = 1
	}
	f.sort(list.items, truth(a.get(2, "reverse", false)), func(v Value) Value { return f.folded(v.(*List).items[at], a, 0) })
	return list
}

func (m *machine) extreme(v Value, a *args, sign int) Value {
	by := a.get(1, "attribute", nil)
	var best Value = undefined{"an empty list has no largest or smallest element"}
	for i, item := range m.each(v) {
		if i == 0 || sign*m.order(m.folded(m.pluck(item, by), a, 0), m.folded(m.pluck(best, by), a, 0)) > 0 {
			best = item
		}
	}
	return best
}

func unique(f *frame, v Value, a *args) Value {
	out := &List{kind: iterator}
	seen := NewDict()
	for _, item := range f.each(v) {
		f.work(2 * valueWork)
		key := f.folded(f.pluck(item, a.get(1, "attribute", nil)), a, 0)
		if _, ok := seen.get(key); !ok {
			seen.set(key, true)
			out.items = append(out.items, item)
		}
	}
	return out
}

func sum(f *frame, v Value, a *args) Value {
	total := a.get(1, "start", int64(0))
	for _, item := range f.plucked(f.each(v), a.get(0, "attribute", nil)) {
		total = f.arithmetic("+", total, item)
	}
	return total
}

func reverse(f *frame, v Value, _ *args) Value {
	if t, ok := v.(Text); ok {
		return f.slice(t, nil, nil, int64(-1))
	}
	list := f.copied(v)
	slices.Reverse(list.items)
	list.kind = iterator
	return list
}

func batch(f *frame, v Value, a *args) Value {
	n := a.integer(0, "linecount", 0)
	if n < 1 {
		fail("batch: the size is %d, expected at least 1", n)
	}
	out := &List{kind: iterator}
	for part := range slices.Chunk(f.each(v), n) {
		f.work(valueWork * (1 + len(part)))
		out.items = append(out.items, NewList(part...))
	}
	return out
}
