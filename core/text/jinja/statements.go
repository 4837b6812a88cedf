package jinja

type statement interface{ exec(*frame) flow }

// output writes text or {{ an expression }}.
type output struct {
	line  int
	value expression
}

func (o *output) exec(f *frame) flow {
	f.line = o.line
	f.write(f.str(f.eval(o.value)))
	return onward
}

type branch struct {
	test            expression
	then, otherwise []statement
}

func (b *branch) exec(f *frame) flow {
	if truth(f.eval(b.test)) {
		return f.run(b.then)
	}
	return f.run(b.otherwise)
}

// jump is {% break %} or {% continue %}.
type jump string

func (j jump) exec(*frame) flow {
	if j == "break" {
		return breaking
	}
	return continuing
}

type assignment struct {
	line    int
	target  expression
	value   expression // nil: the body's output
	body    []statement
	filters expression // applied to the body, or nil
}

func (a *assignment) exec(f *frame) flow {
	f.line = a.line
	if a.value != nil {
		f.assign(a.target, f.eval(a.value))
		return onward
	}
	f.assign(a.target, f.filtered(a.filters, f.capture(a.body)))
	return onward
}

// filtered applies the filters of a block to a text. The parser reads them without an operand.
func (f *frame) filtered(filters expression, t Text) Value {
	if filters == nil {
		return t
	}
	g := f.inner()
	g.scope.set(piped, t)
	return g.eval(filters)
}

// piped is the name of the operand of a block's filters. No template can use this name.
const piped = "|"

type filterBlock struct {
	line    int
	filters expression
	body    []statement
}

func (b *filterBlock) exec(f *frame) flow {
	f.line = b.line
	f.write(f.str(f.filtered(b.filters, f.capture(b.body))))
	return onward
}

type with struct {
	targets, values []expression
	body            []statement
}

func (w *with) exec(f *frame) flow {
	g := f.inner()
	for i, v := range f.evalAll(w.values) {
		g.assign(w.targets[i], v)
	}
	return g.run(w.body)
}

// generation is {% generation %}, which encloses the model's text.
type generation struct{ body []statement }

func (s generation) exec(f *frame) flow {
	g := f.inner()
	g.generated = true
	return g.run(s.body)
}

type macro struct {
	name   string
	params []parameter
	body   []statement
}

type parameter struct {
	name  string
	value expression // default, or nil
}

// define is {% macro %}.
type define struct{ macro *macro }

func (d *define) exec(f *frame) flow {
	f.scope.set(d.macro.name, f.closure(d.macro))
	return onward
}

// closure returns the macro as a value that sees the variables of its definition.
func (f *frame) closure(m *macro) function {
	at := f.scope
	return func(f *frame, a *args) Value {
		f.nest()
		defer f.unnest()
		var out builder
		g := &frame{machine: f.machine, scope: &scope{parent: at}, out: &out}
		g.bind(m, a)
		g.run(m.body)
		return out.text()
	}
}

// bind assigns arguments to the parameters of a macro.
func (f *frame) bind(m *macro, a *args) {
	if len(a.values) > len(m.params) {
		fail("the macro %s takes %d arguments, not %d", m.name, len(m.params), len(a.values))
	}
	for i, p := range m.params {
		v, ok := a.find(i, p.name)
		switch {
		case ok:
		case p.value != nil:
			v = f.eval(p.value)
		default:
			v = undefined{"parameter " + p.name}
		}
		f.scope.set(p.name, v)
	}
	for i, name := range a.names {
		if name == "caller" {
			f.scope.set(name, a.named[i])
		}
	}
}

// callBlock is {% call %}, which calls a macro and passes the body as caller.
type callBlock struct {
	line int
	call *call
	body *macro
}

func (b *callBlock) exec(f *frame) flow {
	f.line = b.line
	a := f.arguments(b.call.args)
	a.names, a.named = append(a.names, "caller"), append(a.named, f.closure(b.body))
	f.write(f.str(f.invoke(f.eval(b.call.callee), a)))
	return onward
}
