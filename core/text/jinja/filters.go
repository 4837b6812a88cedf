package jinja

import (
	"math"
	"strconv"
	"strings"
)

// filters maps the names after a bar to functions. Filters that take another filter by name look it
// up in the machine.
var filters = map[string]func(f *frame, v Value, a *args) Value{
	"abs":         func(f *frame, v Value, _ *args) Value { return f.abs(v) },
	"attr":        func(f *frame, v Value, a *args) Value { return f.attribute(v, a.text(0, "name", "").s) },
	"batch":       batch,
	"capitalize":  func(f *frame, v Value, _ *args) Value { return f.capitalize(f.str(v)) },
	"count":       func(f *frame, v Value, _ *args) Value { return int64(f.length(v)) },
	"d":           orDefault,
	"default":     orDefault,
	"dictsort":    dictSort,
	"e":           escapeHTML,
	"escape":      escapeHTML,
	"first":       first,
	"forceescape": func(f *frame, v Value, a *args) Value { return escapeHTML(f, f.str(v).as(false), a) },
	"format":      formatFilter,
	"float":       toFloat,
	"indent":      indent,
	"int":         toInt,
	"items":       items,
	"join":        join,
	"last":        last,
	"length":      func(f *frame, v Value, _ *args) Value { return int64(f.length(v)) },
	"list":        func(f *frame, v Value, _ *args) Value { return f.copied(v) },
	"lower":       func(f *frame, v Value, _ *args) Value { return f.convert(f.str(v), strings.ToLower) },
	"map":         mapped,
	"max":         func(f *frame, v Value, a *args) Value { return f.extreme(v, a, 1) },
	"min":         func(f *frame, v Value, a *args) Value { return f.extreme(v, a, -1) },
	"reject":      func(f *frame, v Value, a *args) Value { return f.choose(v, a, false, false) },
	"rejectattr":  func(f *frame, v Value, a *args) Value { return f.choose(v, a, true, false) },
	"replace":     replaceFilter,
	"reverse":     reverse,
	"round":       round,
	"safe":        func(f *frame, v Value, _ *args) Value { return f.str(v).as(true) },
	"select":      func(f *frame, v Value, a *args) Value { return f.choose(v, a, false, true) },
	"selectattr":  func(f *frame, v Value, a *args) Value { return f.choose(v, a, true, true) },
	"sort":        sorted,
	"string":      func(f *frame, v Value, _ *args) Value { return f.str(v) },
	"sum":         sum,
	"title":       func(f *frame, v Value, _ *args) Value { return f.title(f.str(v).as(false), breaksTitle) },
	"tojson":      toJSON,
	"trim":        func(f *frame, v Value, a *args) Value { return strip(f.str(v), a, true, true) },
	"unique":      unique,
	"upper":       func(f *frame, v Value, _ *args) Value { return f.convert(f.str(v), strings.ToUpper) },
	"wordcount":   func(f *frame, v Value, _ *args) Value { return int64(len(strings.Fields(f.str(v).s))) },
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
		fail("expected a number, not %s", describe(v))
	}
	return math.Abs(x)
}

// mustExist fails for an undefined value, which most filters take as an empty text.
func mustExist(v Value) {
	if u, ok := v.(undefined); ok {
		fail("%s", u.what)
	}
}

func toInt(f *frame, v Value, a *args) Value {
	mustExist(v)
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
	mustExist(v)
	if t, ok := v.(Text); ok {
		if x, err := strconv.ParseFloat(strings.TrimFunc(t.s, isSpace), 64); err == nil {
			return x
		}
	} else if x, ok := asFloat(v); ok {
		return x
	}
	return a.get(0, "default", 0.0)
}

// round rounds half to even as Python does, or with the method "ceil" or "floor".
func round(f *frame, v Value, a *args) Value {
	x, ok := asFloat(v)
	if !ok {
		fail("expected a number, not %s", describe(v))
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
	return f.replace(f.str(v).as(false), a.text(0, "old", ""), a.text(1, "new", ""), a.integer(2, "count", -1))
}

func formatFilter(f *frame, v Value, a *args) Value {
	if len(a.names) > 0 {
		fail("cannot format with names")
	}
	return f.percent(f.str(v), &List{items: a.values, kind: tuple})
}

// indent puts white space before each line, except the first line and empty ones.
func indent(f *frame, v Value, a *args) Value {
	mustExist(v)
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
	return b.text().as(f.str(v).safe)
}
