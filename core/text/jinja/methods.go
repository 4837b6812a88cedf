package jinja

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type textMethod func(f *frame, t Text, a *args) Value

// textMethods are the methods of Python's str.
var textMethods = map[string]textMethod{
	"strip":  func(_ *frame, t Text, a *args) Value { return strip(t, a, true, true) },
	"lstrip": func(_ *frame, t Text, a *args) Value { return strip(t, a, true, false) },
	"rstrip": func(_ *frame, t Text, a *args) Value { return strip(t, a, false, true) },
	"upper":  func(f *frame, t Text, _ *args) Value { return f.convert(t, strings.ToUpper) },
	"lower":  func(f *frame, t Text, _ *args) Value { return f.convert(t, strings.ToLower) },
	"title": func(f *frame, t Text, _ *args) Value {
		return f.title(t, func(r rune) bool { return !unicode.IsLetter(r) })
	},
	"capitalize":   func(f *frame, t Text, _ *args) Value { return f.capitalize(t) },
	"startswith":   func(_ *frame, t Text, a *args) Value { return affix(t, a, strings.HasPrefix) },
	"endswith":     func(_ *frame, t Text, a *args) Value { return affix(t, a, strings.HasSuffix) },
	"removeprefix": func(_ *frame, t Text, a *args) Value { return removeAffix(t, a, true) },
	"removesuffix": func(_ *frame, t Text, a *args) Value { return removeAffix(t, a, false) },
	"find":         func(f *frame, t Text, a *args) Value { return f.find(t, a, strings.Index) },
	"rfind":        func(f *frame, t Text, a *args) Value { return f.find(t, a, strings.LastIndex) },
	"count":        func(f *frame, t Text, a *args) Value { return f.count(t, a.text(0, "sub", "")) },
	"replace": func(f *frame, t Text, a *args) Value {
		with := f.escaping(a.text(1, "new", ""), t.safe)
		return f.replace(t, a.text(0, "old", ""), with, a.integer(2, "count", -1))
	},
	"split":      func(f *frame, t Text, a *args) Value { return f.split(t, a, false) },
	"rsplit":     func(f *frame, t Text, a *args) Value { return f.split(t, a, true) },
	"splitlines": func(f *frame, t Text, a *args) Value { return f.lines(t, truth(a.get(0, "keepends", false))) },
	"join":       func(f *frame, t Text, a *args) Value { return f.joinAll(f.each(a.get(0, "iterable", nil)), t, true) },
	"format":     func(f *frame, t Text, a *args) Value { return f.format(t, a) },
	"isdigit":    func(_ *frame, t Text, _ *args) Value { return consists(t, unicode.IsDigit) },
	"isnumeric":  func(_ *frame, t Text, _ *args) Value { return consists(t, unicode.IsNumber) },
	"isalpha":    func(_ *frame, t Text, _ *args) Value { return consists(t, unicode.IsLetter) },
	"isalnum":    func(_ *frame, t Text, _ *args) Value { return consists(t, isAlphanumeric) },
	"isspace":    func(_ *frame, t Text, _ *args) Value { return consists(t, isSpace) },
	"isupper":    func(_ *frame, t Text, _ *args) Value { return isCase(t, strings.ToUpper) },
	"islower":    func(_ *frame, t Text, _ *args) Value { return isCase(t, strings.ToLower) },
}

// listMethods are the methods of Python's list that do not change it.
var listMethods = map[string]func(f *frame, l *List, a *args) Value{
	"index": func(f *frame, l *List, a *args) Value {
		for i, v := range l.items {
			if f.equal(v, a.get(0, "value", nil)) {
				return int64(i)
			}
		}
		fail("the list does not contain the value")
		return nil
	},
	"count": func(f *frame, l *List, a *args) Value {
		n := int64(0)
		for _, v := range l.items {
			if f.equal(v, a.get(0, "value", nil)) {
				n++
			}
		}
		return n
	},
}

// dictMethods are the methods of Python's dict that do not change it.
var dictMethods = map[string]func(f *frame, d *Dict, a *args) Value{
	"get": func(_ *frame, d *Dict, a *args) Value {
		if v, ok := d.get(a.get(0, "key", nil)); ok {
			return v
		}
		return a.get(1, "default", nil)
	},
	"keys":   func(_ *frame, d *Dict, _ *args) Value { return NewList(d.keys...) },
	"values": func(_ *frame, d *Dict, _ *args) Value { return NewList(d.values...) },
	"items":  func(f *frame, d *Dict, _ *args) Value { return f.pairs(d) },
	"copy":   func(_ *frame, d *Dict, _ *args) Value { return d },
}

func (m *machine) pairs(d *Dict) *List {
	m.work(4 * valueWork * len(d.keys))
	list := &List{}
	for i, key := range d.keys {
		list.items = append(list.items, &List{items: []Value{key, d.values[i]}, kind: tuple})
	}
	return list
}

// strip removes white space, or the characters of the argument, from the ends.
func strip(t Text, a *args, left, right bool) Text {
	cut := isSpace
	if chars := a.get(0, "chars", nil); chars != nil {
		set := a.text(0, "chars", "").s
		cut = func(r rune) bool { return strings.ContainsRune(set, r) }
	}
	from, to := 0, len(t.s)
	if left {
		from = len(t.s) - len(strings.TrimLeftFunc(t.s, cut))
	}
	if right {
		to = len(strings.TrimRightFunc(t.s, cut))
	}
	return t.Slice(from, to)
}

func (m *machine) convert(t Text, change func(string) string) Text {
	m.work(len(t.s) + 16*len(t.runs))
	return t.convert(change)
}

func (m *machine) capitalize(t Text) Text {
	_, n := utf8.DecodeRuneInString(t.s)
	return m.join(m.convert(t.Slice(0, n), titled), m.convert(t.Slice(n, len(t.s)), strings.ToLower)).as(t.safe)
}

func titled(s string) string { return strings.Map(unicode.ToTitle, s) }

// title capitalises words; breaks reports whether a character separates words.
func (m *machine) title(t Text, breaks func(rune) bool) Text {
	m.work(len(t.s) + 16*len(t.runs))
	begins := true
	return t.convert(func(s string) string {
		return strings.Map(func(r rune) rune {
			first := begins
			if begins = breaks(r); first {
				return unicode.ToTitle(r)
			}
			return unicode.ToLower(r)
		}, s)
	})
}

// affix reports whether t has one of the given prefixes or suffixes.
func affix(t Text, a *args, has func(s, part string) bool) bool {
	if list, ok := a.get(0, "prefix", nil).(*List); ok {
		for _, v := range list.items {
			if part, ok := v.(Text); ok && has(t.s, part.s) {
				return true
			}
		}
		return false
	}
	return has(t.s, a.text(0, "prefix", "").s)
}

func removeAffix(t Text, a *args, prefix bool) Text {
	part := a.text(0, "prefix", "").s
	switch {
	case prefix && strings.HasPrefix(t.s, part):
		return t.Slice(len(part), len(t.s))
	case !prefix && strings.HasSuffix(t.s, part):
		return t.Slice(0, len(t.s)-len(part))
	}
	return t
}

func (m *machine) find(t Text, a *args, search func(s, part string) int) Value {
	m.work(len(t.s) / 8)
	i := search(t.s, a.text(0, "sub", "").s)
	if i < 0 {
		return int64(-1)
	}
	return int64(utf8.RuneCountInString(t.s[:i]))
}

func (m *machine) count(t, part Text) Value {
	m.work(len(t.s) / 8)
	return int64(strings.Count(t.s, part.s))
}

// replace replaces the first count occurrences, all if count is negative.
func (m *machine) replace(t, old, with Text, count int) Text {
	n := strings.Count(t.s, old.s)
	if count >= 0 {
		n = min(n, count)
	}
	m.work(len(t.s))
	m.workTimes(len(with.s)+16*len(with.runs)+16, int64(n))
	var b builder
	rest := t
	for i := range n {
		at := strings.Index(rest.s, old.s)
		if old.s == "" && i > 0 { // between characters
			_, at = utf8.DecodeRuneInString(rest.s)
		}
		b.add(rest.Slice(0, at))
		b.add(with)
		rest = rest.Slice(at+len(old.s), len(rest.s))
	}
	b.add(rest)
	return b.text().as(t.safe)
}

// joinAll joins values with a separator. If strict is set, as in Python's join, all values must be
// strings, and a safe separator escapes them.
func (m *machine) joinAll(values []Value, between Text, strict bool) Value {
	var b builder
	for i, v := range values {
		if _, ok := v.(Text); strict && !ok {
			fail("expected strings to join, not %s", describe(v))
		}
		part := m.escaping(m.str(v), strict && between.safe)
		m.work(len(part.s) + len(between.s) + 16*(len(part.runs)+len(between.runs)))
		if i > 0 {
			b.add(between)
		}
		b.add(part)
	}
	return b.text().as(strict && between.safe)
}

func consists(t Text, of func(rune) bool) bool {
	return t.s != "" && strings.IndexFunc(t.s, func(r rune) bool { return !of(r) }) < 0
}

func isAlphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// isCase reports whether t has cased letters and change alters none of them.
func isCase(t Text, change func(string) string) bool {
	return change(t.s) == t.s && strings.ToUpper(t.s) != strings.ToLower(t.s)
}
