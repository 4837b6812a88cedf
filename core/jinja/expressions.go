package jinja

import "unicode/utf8"

type expression interface{ eval(*frame) Value }

type constant struct{ value Value }

func (c constant) eval(*frame) Value { return c.value }

type variable string

func (v variable) eval(f *frame) Value {
	if value, ok := f.scope.get(string(v)); ok {
		return value
	}
	if g := global(string(v)); g != nil {
		return g
	}
	return undefined{string(v) + " is not defined"}
}

// listing is a list or a tuple.
type listing struct {
	items []expression
	tuple bool
}

func (l *listing) eval(f *frame) Value {
	f.work(valueWork * len(l.items))
	list := &List{items: f.evalAll(l.items)}
	if l.tuple {
		list.kind = tuple
	}
	return list
}

type dictionary struct {
	line         int
	keys, values []expression
}

func (d *dictionary) eval(f *frame) Value {
	f.line = d.line
	f.work(2 * valueWork * len(d.keys))
	dict := NewDict()
	for i, key := range d.keys {
		dict.set(f.eval(key), f.eval(d.values[i]))
	}
	return dict
}

type conditional struct{ test, then, otherwise expression }

func (c *conditional) eval(f *frame) Value {
	switch {
	case truth(f.eval(c.test)):
		return f.eval(c.then)
	case c.otherwise == nil:
		return undefined{"the condition is false, and there is no else"}
	}
	return f.eval(c.otherwise)
}

// logical is "and" or "or".
type logical struct {
	left, right expression
	or          bool
}

func (l *logical) eval(f *frame) Value {
	if left := f.eval(l.left); truth(left) == l.or {
		return left
	}
	return f.eval(l.right)
}

type negation struct{ of expression }

func (n negation) eval(f *frame) Value { return !truth(f.eval(n.of)) }

// comparison is a chain: a < b <= c.
type comparison struct {
	line  int
	first expression
	ops   []operand
}

type operand struct {
	op    string
	value expression
}

func (c *comparison) eval(f *frame) Value {
	left := f.eval(c.first)
	for _, o := range c.ops {
		right := f.eval(o.value)
		f.line = c.line
		if !f.compare(o.op, left, right) {
			return false
		}
		left = right
	}
	return true
}

func (m *machine) compare(op string, a, b Value) bool {
	switch op {
	case "==":
		return m.equal(a, b)
	case "!=":
		return !m.equal(a, b)
	case "in":
		return m.contains(b, a)
	case "not in":
		return !m.contains(b, a)
	case "<":
		return m.order(a, b) < 0
	case "<=":
		return m.order(a, b) <= 0
	case ">":
		return m.order(a, b) > 0
	}
	return m.order(a, b) >= 0
}

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

// attribute returns v.name: a method, or what v holds under that key.
func (m *machine) attribute(v Value, name string) Value {
	switch v := v.(type) {
	case undefined:
		fail("%s, and so has no %q", v.what, name)
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
		fail("%s, and so has no elements", v.what)
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

// within turns an index that may count from the end into one from the start.
func within(i int64, n int) (int, bool) {
	if i < 0 {
		i += int64(n)
	}
	return int(i), 0 <= i && i < int64(n)
}

// byteRange returns where the characters [from, to) of s begin and end.
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

type call struct {
	line   int
	callee expression
	args   arguments
}

func (c *call) eval(f *frame) Value {
	callee := f.eval(c.callee)
	a := f.arguments(c.args)
	f.line = c.line
	return f.invoke(callee, a)
}

func (f *frame) invoke(callee Value, a *args) Value {
	switch callee := callee.(type) {
	case function:
		return callee(f, a)
	case *loopState:
		if callee.recurse != nil {
			return callee.recurse(f, a)
		}
	case undefined:
		fail("%s, and so cannot be called", callee.what)
	}
	fail("%s cannot be called", describe(callee))
	return nil
}

// arguments are those of a call.
type arguments struct {
	values     []expression
	names      []string
	named      []expression
	list, dict expression // *list and **dict, or nil
}

// args are the values of arguments.
type args struct {
	values []Value
	names  []string
	named  []Value
}

func (f *frame) arguments(a arguments) *args {
	all := &args{f.evalAll(a.values), a.names[:len(a.names):len(a.names)], f.evalAll(a.named)}
	if a.list != nil {
		all.values = append(all.values, f.each(f.eval(a.list))...)
	}
	if a.dict != nil {
		for _, pair := range f.pairs(f.dict(f.eval(a.dict))).items {
			p := pair.(*List).items
			all.names, all.named = append(all.names, f.str(p[0]).s), append(all.named, p[1])
		}
	}
	return all
}

func (m *machine) dict(v Value) *Dict {
	d, ok := v.(*Dict)
	if !ok {
		fail("expected a dictionary, not %s", describe(v))
	}
	return d
}

// find returns the i-th argument, or that of the name.
func (a *args) find(i int, name string) (Value, bool) {
	if i < len(a.values) {
		return a.values[i], true
	}
	for k, n := range a.names {
		if n == name {
			return a.named[k], true
		}
	}
	return nil, false
}

// get returns the i-th argument, or that of the name, or what is there if it is missing.
func (a *args) get(i int, name string, missing Value) Value {
	if v, ok := a.find(i, name); ok {
		return v
	}
	return missing
}

// text returns an argument that must be a string.
func (a *args) text(i int, name, missing string) Text {
	v := a.get(i, name, literal(missing))
	t, ok := v.(Text)
	if !ok {
		fail("expected a string, not %s", describe(v))
	}
	return t
}

// integer returns an argument that must be a whole number.
func (a *args) integer(i int, name string, missing int64) int {
	v := a.get(i, name, missing)
	n, ok := exact(v)
	if !ok || n != int64(int32(n)) {
		fail("expected a whole number of at most 31 bits, not %s", describe(v))
	}
	return int(n)
}

type filter struct {
	line  int
	name  string
	of    expression // nil: what goes through the filters of a block
	args  arguments
	apply func(*frame, Value, *args) Value
}

func (t *filter) eval(f *frame) Value {
	of := t.of
	if of == nil {
		of = variable(piped)
	}
	v, a := f.eval(of), f.arguments(t.args)
	f.line = t.line
	return t.apply(f, v, a)
}

// test is what follows "is".
type test struct {
	line  int
	name  string
	of    expression
	args  arguments
	holds func(*frame, Value, *args) bool
}

func (t *test) eval(f *frame) Value {
	v, a := f.eval(t.of), f.arguments(t.args)
	f.line = t.line
	return t.holds(f, v, a)
}
