package jinja

import "strings"

// tests maps the names after "is" to functions.
var tests = map[string]func(f *frame, v Value, a *args) bool{
	"defined":     func(_ *frame, v Value, _ *args) bool { return !isUndefined(v) },
	"undefined":   func(_ *frame, v Value, _ *args) bool { return isUndefined(v) },
	"none":        func(_ *frame, v Value, _ *args) bool { return v == nil },
	"true":        func(_ *frame, v Value, _ *args) bool { return v == true },
	"false":       func(_ *frame, v Value, _ *args) bool { return v == false },
	"boolean":     func(_ *frame, v Value, _ *args) bool { _, ok := v.(bool); return ok },
	"integer":     func(_ *frame, v Value, _ *args) bool { _, ok := v.(int64); return ok },
	"float":       func(_ *frame, v Value, _ *args) bool { _, ok := v.(float64); return ok },
	"number":      func(_ *frame, v Value, _ *args) bool { _, ok := asFloat(v); return ok },
	"string":      func(_ *frame, v Value, _ *args) bool { _, ok := v.(Text); return ok },
	"mapping":     func(_ *frame, v Value, _ *args) bool { _, ok := v.(*Dict); return ok },
	"sequence":    func(_ *frame, v Value, _ *args) bool { return isIterable(v) && !isIterator(v) },
	"iterable":    func(_ *frame, v Value, _ *args) bool { return isIterable(v) },
	"callable":    func(_ *frame, v Value, _ *args) bool { _, ok := v.(function); return ok },
	"sameas":      func(f *frame, v Value, a *args) bool { return same(f, v, a.get(0, "other", nil)) },
	"escaped":     func(_ *frame, v Value, _ *args) bool { t, ok := v.(Text); return ok && t.safe },
	"odd":         func(f *frame, v Value, _ *args) bool { return f.remainder(v, int64(2)) == 1 },
	"even":        func(f *frame, v Value, _ *args) bool { return f.remainder(v, int64(2)) == 0 },
	"divisibleby": func(f *frame, v Value, a *args) bool { return f.remainder(v, a.get(0, "num", nil)) == 0 },
	"upper":       func(f *frame, v Value, _ *args) bool { return isCase(f.str(v), strings.ToUpper) },
	"lower":       func(f *frame, v Value, _ *args) bool { return isCase(f.str(v), strings.ToLower) },
	"in":          func(f *frame, v Value, a *args) bool { return f.contains(a.get(0, "seq", nil), v) },
	"==":          compares("=="), "eq": compares("=="), "equalto": compares("=="),
	"!=": compares("!="), "ne": compares("!="),
	"<": compares("<"), "lt": compares("<"), "lessthan": compares("<"),
	"<=": compares("<="), "le": compares("<="),
	">": compares(">"), "gt": compares(">"), "greaterthan": compares(">"),
	">=": compares(">="), "ge": compares(">="),
}

func compares(op string) func(f *frame, v Value, a *args) bool {
	return func(f *frame, v Value, a *args) bool { return f.compare(op, v, a.get(0, "other", nil)) }
}

func isUndefined(v Value) bool {
	_, ok := v.(undefined)
	return ok
}

func isIterator(v Value) bool {
	l, ok := v.(*List)
	return ok && l.kind == iterator
}

func isIterable(v Value) bool {
	switch v.(type) {
	case Text, *List, *Dict, undefined:
		return true
	}
	return false
}

// same matches Python's "is", in which equal small values are identical.
func same(f *frame, a, b Value) bool { return typeName(a) == typeName(b) && f.equal(a, b) }

func (m *machine) remainder(v, by Value) int64 {
	r, ok := exact(m.arithmetic("%", v, by))
	if !ok {
		fail("expected a whole number, not %s", describe(v))
	}
	return r
}
