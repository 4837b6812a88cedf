package jinja

import (
	"math"
	"strings"
)

func (m *machine) equal(a, b Value) bool {
	m.nest()
	defer m.unnest()
	switch x := a.(type) {
	case nil:
		return b == nil
	case undefined:
		_, ok := b.(undefined)
		return ok
	case Text:
		y, ok := b.(Text)
		m.work(min(len(x.s), len(y.s)) / 8)
		return ok && x.s == y.s
	case *List:
		y, ok := b.(*List)
		return ok && (x == y || x.kind == y.kind && x.kind != iterator && m.sameItems(x.items, y.items))
	case *Dict:
		y, ok := b.(*Dict)
		return ok && m.sameEntries(x, y)
	case bool, int64, float64:
		c, ok := numbers(a, b)
		return ok && c == 0
	case *namespace:
		return a == b
	}
	return false
}

func (m *machine) sameItems(a, b []Value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !m.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (m *machine) sameEntries(a, b *Dict) bool {
	if len(a.keys) != len(b.keys) {
		return false
	}
	for i, key := range a.keys {
		if v, ok := b.get(key); !ok || !m.equal(a.values[i], v) {
			return false
		}
	}
	return true
}

// numbers compares two numbers; ok is false if either is not a number, or is NaN.
func numbers(a, b Value) (order int, ok bool) {
	x, xInt := exact(a)
	y, yInt := exact(b)
	if xInt && yInt {
		return compareOrdered(x, y), true
	}
	p, pOK := asFloat(a)
	q, qOK := asFloat(b)
	if !pOK || !qOK || math.IsNaN(p) || math.IsNaN(q) {
		return 0, false
	}
	return compareOrdered(p, q), true
}

func compareOrdered[T int64 | float64 | int](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// exact returns the value of an int or bool. A float is not exact, even if it is whole.
func exact(v Value) (int64, bool) {
	if _, ok := v.(float64); ok {
		return 0, false
	}
	return asInt(v)
}

func asFloat(v Value) (float64, bool) {
	if x, ok := v.(float64); ok {
		return x, true
	}
	n, ok := asInt(v)
	return float64(n), ok
}

// order compares two strings, two lists or two numbers. It returns -1, 0 or 1.
func (m *machine) order(a, b Value) int {
	m.nest()
	defer m.unnest()
	switch x := a.(type) {
	case Text:
		if y, ok := b.(Text); ok {
			m.work(min(len(x.s), len(y.s)) / 8)
			return strings.Compare(x.s, y.s)
		}
	case *List:
		if y, ok := b.(*List); ok {
			for i := range min(len(x.items), len(y.items)) {
				if !m.equal(x.items[i], y.items[i]) {
					return m.order(x.items[i], y.items[i])
				}
			}
			return compareOrdered(len(x.items), len(y.items))
		}
	default:
		if c, ok := numbers(a, b); ok {
			return c
		}
	}
	fail("cannot order %s and %s", describe(a), describe(b))
	return 0
}

// contains reports whether b holds a, as "a in b" does.
func (m *machine) contains(b, a Value) bool {
	switch b := b.(type) {
	case Text:
		part, ok := a.(Text)
		if !ok {
			fail("a string cannot contain %s", describe(a))
		}
		m.work(len(b.s) / 8)
		return strings.Contains(b.s, part.s)
	case *Dict:
		_, ok := b.get(a)
		return ok
	}
	for _, v := range m.each(b) {
		if m.equal(v, a) {
			return true
		}
	}
	return false
}
