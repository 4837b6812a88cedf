package jinja

// loop is {% for %}.
type loop struct {
	line            int
	target, over    expression
	where           expression // or nil
	recursive       bool
	body, otherwise []statement
}

func (l *loop) exec(f *frame) flow {
	f.line = l.line
	return l.iterate(f, f.eval(l.over), 0)
}

// iterate runs the loop over the elements of v. depth counts the recursive loops around it.
func (l *loop) iterate(f *frame, v Value, depth int) flow {
	items := l.selected(f, f.each(v))
	state := &loopState{items: items, depth: depth}
	for i, item := range items {
		f.work(valueWork)
		g := f.inner()
		state.at = i
		g.assign(l.target, item)
		g.scope.set("loop", l.value(f, state))
		if g.run(l.body) == breaking {
			break
		}
	}
	if len(items) == 0 {
		return f.inner().run(l.otherwise)
	}
	return onward
}

func (l *loop) selected(f *frame, items []Value) []Value {
	if l.where == nil {
		return items
	}
	var kept []Value
	for _, item := range items {
		g := f.inner()
		g.assign(l.target, item)
		if truth(g.eval(l.where)) {
			kept = append(kept, item)
		}
	}
	return kept
}

// loopState is the variable loop.
type loopState struct {
	items     []Value
	at, depth int
	recurse   function
	changed   []Value // last arguments of loop.changed
}

func (l *loop) value(f *frame, s *loopState) Value {
	if l.recursive {
		s.recurse = func(g *frame, a *args) Value {
			g.nest()
			defer g.unnest()
			var out builder
			inner := *f
			inner.out = &out
			l.iterate(&inner, a.get(0, "", nil), s.depth+1)
			return out.text()
		}
	}
	return s
}

func (s *loopState) attribute(name string) (Value, bool) {
	n := int64(len(s.items))
	i := int64(s.at)
	switch name {
	case "index":
		return i + 1, true
	case "index0":
		return i, true
	case "revindex":
		return n - i, true
	case "revindex0":
		return n - i - 1, true
	case "first":
		return i == 0, true
	case "last":
		return i == n-1, true
	case "length":
		return n, true
	case "depth":
		return int64(s.depth + 1), true
	case "depth0":
		return int64(s.depth), true
	case "previtem":
		return s.item(s.at - 1), true
	case "nextitem":
		return s.item(s.at + 1), true
	case "cycle":
		return function(func(_ *frame, a *args) Value { return a.get(s.at%max(len(a.values), 1), "", nil) }), true
	case "changed":
		return function(s.hasChanged), true
	}
	return nil, false
}

func (s *loopState) item(i int) Value {
	if i < 0 || i >= len(s.items) {
		return undefined{"there is no such item"}
	}
	return s.items[i]
}

func (s *loopState) hasChanged(f *frame, a *args) Value {
	if s.changed != nil && f.sameItems(s.changed, a.values) {
		return false
	}
	s.changed = append([]Value{}, a.values...)
	return true
}
