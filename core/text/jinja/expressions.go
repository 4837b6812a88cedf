package jinja

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

type filter struct {
	line  int
	name  string
	of    expression // nil: the text of a filter block
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
	if t.apply == nil {
		fail("unknown filter %q", t.name)
	}
	return t.apply(f, v, a)
}

// test is an expression with "is".
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
	if t.holds == nil {
		fail("unknown test %q", t.name)
	}
	return t.holds(f, v, a)
}
