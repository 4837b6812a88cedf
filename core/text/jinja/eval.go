package jinja

import "time"

// Limits on a template's work. A unit of work takes about a nanosecond or a byte. A step is the
// evaluation of one node of the template.
const (
	baseWork    = 16 << 20
	workPerByte = 512 // of input
	stepWork    = 32
	valueWork   = 32 // making or visiting an element of a list
	maxDepth    = 100
)

// machine is the state of a rendering.
type machine struct {
	left  int // work left within the limit
	depth int // of nested values and macro calls
	line  int
	now   time.Time

	// The filters that filters look up by name. A reference to the package variable would be an
	// initialisation cycle, because the variable contains these filters.
	filters map[string]func(*frame, Value, *args) Value
	tests   map[string]func(*frame, Value, *args) bool
}

func (m *machine) work(n int) {
	if n < 0 || n > m.left {
		fail("rendering exceeds the work limit of a chat template")
	}
	m.left -= n
}

func (m *machine) nest() {
	m.work(stepWork)
	if m.depth++; m.depth > maxDepth {
		fail("calls or values are nested more than %d levels deep", maxDepth)
	}
}

func (m *machine) unnest() { m.depth-- }

// scope holds the variables that are visible at a place in the template.
type scope struct {
	names  []string
	values []Value
	parent *scope
}

func (s *scope) set(name string, v Value) {
	for i, n := range s.names {
		if n == name {
			s.values[i] = v
			return
		}
	}
	s.names, s.values = append(s.names, name), append(s.values, v)
}

func (s *scope) get(name string) (Value, bool) {
	for ; s != nil; s = s.parent {
		for i, n := range s.names {
			if n == name {
				return s.values[i], true
			}
		}
	}
	return nil, false
}

// frame is the context in which a statement executes.
type frame struct {
	*machine
	scope     *scope
	out       *builder
	generated bool // within {% generation %}
}

// inner returns a frame with its own variables.
func (f *frame) inner() *frame {
	g := *f
	g.scope = &scope{parent: f.scope}
	return &g
}

// capture returns the output of statements, which it runs in a frame with its own variables.
func (f *frame) capture(body []statement) Text {
	var out builder
	g := f.inner()
	g.out = &out
	g.run(body)
	return out.text()
}

func (f *frame) write(t Text) {
	f.work(len(t.s) + 16*len(t.runs))
	if f.generated {
		t.each(func(s string, m Mark) {
			m.Generated = true
			f.out.write(s, m)
		})
		return
	}
	f.out.add(t)
}

func (f *frame) eval(e expression) Value {
	f.work(stepWork)
	return e.eval(f)
}

func (f *frame) evalAll(list []expression) []Value {
	values := make([]Value, len(list))
	for i, e := range list {
		values[i] = f.eval(e)
	}
	return values
}

// flow controls execution after a statement: the next one, break or continue.
type flow uint8

const (
	onward flow = iota
	breaking
	continuing
)

// run executes statements until one of them leaves the loop around them.
func (f *frame) run(body []statement) flow {
	for _, s := range body {
		f.work(stepWork)
		if next := s.exec(f); next != onward {
			return next
		}
	}
	return onward
}

// assign sets a name, several names from a list, or an attribute of a namespace.
func (f *frame) assign(target expression, v Value) {
	switch t := target.(type) {
	case variable:
		f.scope.set(string(t), v)
	case *attribute:
		ns, ok := f.eval(t.of).(*namespace)
		if !ok {
			fail("a template can set attributes only of a namespace")
		}
		ns.set(literal(t.name), v)
	case *listing:
		values := f.each(v)
		if len(values) != len(t.items) {
			fail("cannot assign %d values to %d names", len(values), len(t.items))
		}
		for i, item := range t.items {
			f.assign(item, values[i])
		}
	}
}
