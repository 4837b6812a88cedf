package jinja

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
		fail("%s, so it cannot be called", callee.what)
	}
	fail("%s cannot be called", describe(callee))
	return nil
}

// arguments are the argument expressions of a call.
type arguments struct {
	values     []expression
	names      []string
	named      []expression
	list, dict expression // *list and **dict, or nil
}

// args are the argument values of a call.
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

// find returns the argument at position i, or else the argument with the name.
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

// get is find with a default.
func (a *args) get(i int, name string, missing Value) Value {
	if v, ok := a.find(i, name); ok {
		return v
	}
	return missing
}

// text returns an argument, which must be a string.
func (a *args) text(i int, name, missing string) Text {
	v := a.get(i, name, literal(missing))
	t, ok := v.(Text)
	if !ok {
		fail("expected a string, not %s", describe(v))
	}
	return t
}

// integer returns an argument, which must be a whole number.
func (a *args) integer(i int, name string, missing int64) int {
	v := a.get(i, name, missing)
	n, ok := exact(v)
	if !ok || n != int64(int32(n)) {
		fail("expected a whole number that fits in 32 bits, not %s", describe(v))
	}
	return int(n)
}
