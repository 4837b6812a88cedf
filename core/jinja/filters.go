package jinja

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// filters are what may follow a bar. Those that take another by name look it up
// in the machine.
var filters = map[string]func(f *frame, v Value, a *args) Value{
	"abs":        func(f *frame, v Value, _ *args) Value { return f.abs(v) },
	"attr":       func(f *frame, v Value, a *args) Value { return f.attribute(v, a.text(0, "name", "").s) },
	"batch":      batch,
	"capitalize": func(f *frame, v Value, _ *args) Value { return f.capitalize(f.str(v)) },
	"count":      func(f *frame, v Value, _ *args) Value { return int64(f.length(v)) },
	"d":          orDefault,
	"default":    orDefault,
	"dictsort":   dictSort,
	"e":          escapeHTML,
	"escape":     escapeHTML,
	"first":      first,
	"float":      toFloat,
	"indent":     indent,
	"int":        toInt,
	"items":      items,
	"join":       join,
	"last":       last,
	"length":     func(f *frame, v Value, _ *args) Value { return int64(f.length(v)) },
	"list":       func(f *frame, v Value, _ *args) Value { return f.copied(v) },
	"lower":      func(f *frame, v Value, _ *args) Value { return f.convert(f.str(v), strings.ToLower) },
	"map":        mapped,
	"max":        func(f *frame, v Value, a *args) Value { return f.extreme(v, a, 1) },
	"min":        func(f *frame, v Value, a *args) Value { return f.extreme(v, a, -1) },
	"reject":     func(f *frame, v Value, a *args) Value { return f.choose(v, a, false, false) },
	"rejectattr": func(f *frame, v Value, a *args) Value { return f.choose(v, a, true, false) },
	"replace":    replaceFilter,
	"reverse":    reverse,
	"round":      round,
	"safe":       func(f *frame, v Value, _ *args) Value { return f.str(v) },
	"select":     func(f *frame, v Value, a *args) Value { return f.choose(v, a, false, true) },
	"selectattr": func(f *frame, v Value, a *args) Value { return f.choose(v, a, true, true) },
	"sort":       sorted,
	"string":     func(f *frame, v Value, _ *args) Value { return f.str(v) },
	"sum":        sum,
	"title":      func(f *frame, v Value, _ *args) Value { return f.title(f.str(v), breaksTitle) },
	"tojson":     toJSON,
	"trim":       func(f *frame, v Value, a *args) Value { return strip(f.str(v), a, true, true) },
	"unique":     unique,
	"upper":      func(f *frame, v Value, _ *args) Value { return f.convert(f.str(v), strings.ToUpper) },
	"wordcount":  func(f *frame, v Value, _ *args) Value { return int64(len(strings.Fields(f.str(v).s))) },
}

func breaksTitle(r rune) bool { return isSpace(r) || strings.ContainsRune("-({[<", r) }

func orDefault(_ *frame, v Value, a *args) Value {
	if isUndefined(v) || truth(a.get(1, "boolean", false)) && !truth(v) {
		return a.get(0, "default_value", Text{})
	}
	return v
}

func toJSON(f *frame, v Value, a *args) Value {
	w := jsonWriter{machine: f.machine, comma: ", ", colon: ": "}
	w.asciiOnly = truth(a.get(0, "ensure_ascii", false))
	switch by := a.get(1, "indent", nil).(type) {
	case int64:
		w.indent, w.comma = strings.Repeat(" ", int(max(0, min(by, 64)))), ","
	case Text:
		w.indent, w.comma = by.s, ","
	}
	if s, ok := a.get(2, "separators", nil).(*List); ok && len(s.items) == 2 {
		w.comma, w.colon = f.str(s.items[0]).s, f.str(s.items[1]).s
	}
	w.sortKeys = truth(a.get(3, "sort_keys", false))
	w.value(v, 0)
	return w.builder.text()
}

func (m *machine) abs(v Value) Value {
	if n, ok := exact(v); ok && n >= 0 {
		return n
	} else if ok {
		return m.arithmetic("-", int64(0), n)
	}
	x, ok := asFloat(v)
	if !ok {
		fail("%s is no number", describe(v))
	}
	return math.Abs(x)
}

func toInt(f *frame, v Value, a *args) Value {
	switch v := v.(type) {
	case Text:
		s := strings.ReplaceAll(strings.TrimFunc(v.s, isSpace), "_", "")
		if n, err := strconv.ParseInt(s, a.integer(1, "base", 10), 64); err == nil {
			return n
		}
		if x, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(x) < 1<<62 {
			return int64(x)
		}
	case float64:
		if math.Abs(v) < 1<<62 {
			return int64(v)
		}
	default:
		if n, ok := exact(v); ok {
			return n
		}
	}
	return a.get(0, "default", int64(0))
}

func toFloat(_ *frame, v Value, a *args) Value {
	if t, ok := v.(Text); ok {
		if x, err := strconv.ParseFloat(strings.TrimFunc(t.s, isSpace), 64); err == nil {
			return x
		}
	} else if x, ok := asFloat(v); ok {
		return x
	}
	return a.get(0, "default", 0.0)
}

// round rounds to even as Python does, or by the method "ceil" or "floor".
func round(f *frame, v Value, a *args) Value {
	x, ok := asFloat(v)
	if !ok {
		fail("%s is no number", describe(v))
	}
	scale := math.Pow10(a.integer(0, "precision", 0))
	switch a.text(1, "method", "common").s {
	case "ceil":
		return math.Ceil(x*scale) / scale
	case "floor":
		return math.Floor(x*scale) / scale
	}
	return math.RoundToEven(x*scale) / scale
}

func replaceFilter(f *frame, v Value, a *args) Value {
	return f.replace(f.str(v), a.text(0, "old", ""), a.text(1, "new", ""), a.integer(2, "count", -1))
}

func escapeHTML(f *frame, v Value, _ *args) Value {
	return f.convert(f.str(v), strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace)
}

// indent puts white space before all lines but the first, and empty ones.
func indent(f *frame, v Value, a *args) Value {
	by, ok := a.get(0, "width", int64(4)).(Text)
	if !ok {
		by = literal(strings.Repeat(" ", max(0, min(a.integer(0, "width", 4), 1000))))
	}
	firstToo, blankToo := truth(a.get(1, "first", false)), truth(a.get(2, "blank", false))
	var b builder
	for i, line := range f.each(f.split(f.str(v), &args{values: []Value{literal("\n")}}, false)) {
		line := line.(Text)
		if i > 0 {
			b.literal("\n")
		}
		if (i > 0 || firstToo) && (blankToo || line.s != "") {
			f.work(len(by.s))
			b.add(by)
		}
		b.add(line)
	}
	return b.text()
}

// pluck returns what filters with the argument attribute look at: "a.b" or 0.
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
	fail("%s is no attribute", describe(attribute))
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

// mapped applies a filter to each element, or takes an attribute of each.
func mapped(f *frame, v Value, a *args) Value {
	out := &List{kind: iterator}
	attribute, byAttribute := a.find(math.MaxInt, "attribute")
	missing := a.get(math.MaxInt, "default", nil)
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
		fail("the filter %q is not known here", name)
	}
	return do
}

// choose keeps the elements for which a test holds, or does not: of the elements,
// or of an attribute of each. Without a test they must be true.
func (m *machine) choose(v Value, a *args, byAttribute, keep bool) Value {
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
			fail("the test %q is not known here", rest.values[0].(Text).s)
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

// folded returns what sorting and comparing look at: strings in lower case, unless
// case_sensitive is set.
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

// sort is stable, in reverse too.
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
		fail("a batch has at least one element")
	}
	out := &List{kind: iterator}
	for part := range slices.Chunk(f.each(v), n) {
		f.work(valueWork * (1 + len(part)))
		out.items = append(out.items, NewList(part...))
	}
	return out
}
