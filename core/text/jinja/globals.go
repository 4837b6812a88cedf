package jinja

import (
	"strings"
	"time"
)

// global returns a function that every template has, or nil.
func global(name string) Value {
	switch name {
	case "range":
		return function(numberRange)
	case "dict":
		return function(func(_ *frame, a *args) Value { return newDict(a) })
	case "namespace":
		return function(func(_ *frame, a *args) Value { return &namespace{*newDict(a)} })
	case "raise_exception":
		return function(func(f *frame, a *args) Value { panic(&Raised{f.str(a.get(0, "message", nil)).s}) })
	case "strftime_now":
		return function(func(f *frame, a *args) Value { return literal(strftime(f.now, a.text(0, "format", "").s)) })
	}
	return nil
}

func numberRange(f *frame, a *args) Value {
	start, stop, step := 0, a.integer(0, "", 0), 1
	if len(a.values) > 1 {
		start, stop, step = stop, a.integer(1, "", 0), a.integer(2, "", 1)
	}
	if step == 0 {
		fail("the step of a range is 0")
	}
	list := &List{}
	span{start, stop, step}.each(func(i int) {
		f.work(valueWork)
		list.items = append(list.items, int64(i))
	})
	return list
}

// newDict makes a dictionary from an optional dictionary or list of pairs, and named arguments.
func newDict(a *args) *Dict {
	d := NewDict()
	switch from := a.get(0, "", nil).(type) {
	case *Dict:
		for i, key := range from.keys {
			d.set(key, from.values[i])
		}
	case *List:
		for _, pair := range from.items {
			p, ok := pair.(*List)
			if !ok || len(p.items) != 2 {
				fail("expected pairs of a key and a value, not %s", describe(pair))
			}
			d.set(p.items[0], p.items[1])
		}
	}
	for i, name := range a.names {
		d.set(literal(name), a.named[i])
	}
	return d
}

// directives maps directives of Python's strftime to layouts of package time. %-d and similar
// directives, without leading zeros, are from glibc.
var directives = map[string]string{
	"a": "Mon", "A": "Monday", "d": "02", "b": "Jan", "B": "January", "h": "Jan", "m": "01", "y": "06", "Y": "2006",
	"H": "15", "I": "03", "p": "PM", "M": "04", "S": "05", "j": "002", "Z": "MST", "z": "-0700", "f": "000000",
	"F": "2006-01-02", "T": "15:04:05", "R": "15:04", "D": "01/02/06", "c": "Mon Jan _2 15:04:05 2006", "x": "01/02/06", "X": "15:04:05",
	"e": "_2", "-d": "2", "-m": "1", "-H": "15", "-I": "3", "-M": "4", "-S": "5",
}

func strftime(t time.Time, format string) string {
	var b strings.Builder
	for format != "" {
		before, after, found := strings.Cut(format, "%")
		b.WriteString(before)
		if !found {
			break
		}
		n := 1
		if strings.HasPrefix(after, "-") {
			n = 2
		}
		n = min(n, len(after))
		layout, ok := directives[after[:n]]
		switch {
		case ok && after[:n] == "f": // time.Format has fractions only after a point
			b.WriteString(strings.TrimPrefix(t.Format(".000000"), "."))
		case ok:
			b.WriteString(t.Format(layout))
		case strings.HasPrefix(after, "%"):
			b.WriteString("%")
		default:
			fail("strftime_now: unknown directive %%%s", after[:n])
		}
		format = after[n:]
	}
	return b.String()
}
