package jinja

import "unicode/utf8"

type attribute struct {
	line int
	of   expression
	name string
}

func (a *attribute) eval(f *frame) Value {
	of := f.eval(a.of)
	f.line = a.line
	return f.attribute(of, a.name)
}

// attribute returns v.name: a method, or the value of that key.
func (m *machine) attribute(v Value, name string) Value {
	switch v := v.(type) {
	case undefined:
		fail("%s, so it has no %q", v.what, name)
	case Text:
		if do := textMethods[name]; do != nil {
			return function(func(f *frame, a *args) Value { return do(f, v, a) })
		}
	case *List:
		if do := listMethods[name]; do != nil {
			return function(func(f *frame, a *args) Value { return do(f, v, a) })
		}
	case *Dict:
		if do := dictMethods[name]; do != nil {
			return function(func(f *frame, a *args) Value { return do(f, v, a) })
		}
		if value, ok := v.get(literal(name)); ok {
			return value
		}
	case *namespace:
		if value, ok := v.get(literal(name)); ok {
			return value
		}
	case *loopState:
		if value, ok := v.attribute(name); ok {
			return value
		}
	}
	return undefined{describe(v) + " has no " + name}
}

type subscript struct {
	line    int
	of, key expression
}

func (s *subscript) eval(f *frame) Value {
	of, key := f.eval(s.of), f.eval(s.key)
	f.line = s.line
	return f.item(of, key)
}

// item returns v[key], or v's attribute of that name.
func (m *machine) item(v, key Value) Value {
	switch v := v.(type) {
	case undefined:
		fail("%s, so it has no elements", v.what)
	case *Dict:
		if _, isList := key.(*List); !isList {
			if value, ok := v.get(key); ok {
				return value
			}
		}
	case *List:
		if i, ok := exact(key); ok && v.kind != iterator {
			if i, ok := within(i, len(v.items)); ok {
				return v.items[i]
			}
		}
	case Text:
		if i, ok := exact(key); ok {
			if i, ok := within(i, m.length(v)); ok {
				from, to := byteRange(v.s, i, i+1)
				return v.Slice(from, to)
			}
		}
	}
	if name, ok := key.(Text); ok {
		return m.attribute(v, name.s)
	}
	return undefined{describe(v) + " has no such element"}
}

// within converts an index to one from the start: a negative index counts from the end. It reports
// whether the index is within n elements.
func within(i int64, n int) (int, bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), 0 <= i && i < int64(n)
}

// byteRange returns the byte offsets of the characters [from, to) of s.
func byteRange(s string, from, to int) (begin, end int) {
	at := 0
	for i := 0; i < to; i++ {
		if i == from {
			begin = at
		}
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return begin, at
}
