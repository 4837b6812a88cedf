package jinja

import (
	"strings"
	"unicode/utf8"
)

// split splits t at a separator, or at white space.
func (m *machine) split(t Text, a *args, fromRight bool) Value {
	most := a.integer(1, "maxsplit", -1)
	separator := a.get(0, "sep", nil)
	list := &List{}
	add := func(part Text) {
		m.work(valueWork)
		list.items = append(list.items, part)
	}
	if separator == nil {
		m.fields(t, most, fromRight, add)
	} else {
		m.cuts(t, a.text(0, "sep", "").s, most, fromRight, add)
	}
	if fromRight {
		for i, j := 0, len(list.items)-1; i < j; i, j = i+1, j-1 {
			list.items[i], list.items[j] = list.items[j], list.items[i]
		}
	}
	return list
}

// cuts calls add with the parts of t between separators. From the right, it starts with the last
// part.
func (m *machine) cuts(t Text, separator string, most int, fromRight bool, add func(Text)) {
	if separator == "" {
		fail("the separator is empty")
	}
	m.work(len(t.s))
	for ; most != 0; most-- {
		if fromRight {
			at := strings.LastIndex(t.s, separator)
			if at < 0 {
				break
			}
			add(t.Slice(at+len(separator), len(t.s)))
			t = t.Slice(0, at)
			continue
		}
		at := strings.Index(t.s, separator)
		if at < 0 {
			break
		}
		add(t.Slice(0, at))
		t = t.Slice(at+len(separator), len(t.s))
	}
	add(t)
}

// fields calls add with the parts of t between white space.
func (m *machine) fields(t Text, most int, fromRight bool, add func(Text)) {
	m.work(len(t.s))
	none := &args{}
	for {
		if t = strip(t, none, !fromRight, fromRight); t.s == "" {
			return
		}
		at := strings.IndexFunc(t.s, isSpace)
		if fromRight {
			at = strings.LastIndexFunc(t.s, isSpace)
		}
		if at < 0 || most == 0 {
			add(t)
			return
		}
		most--
		if fromRight {
			_, n := utf8.DecodeRuneInString(t.s[at:])
			add(t.Slice(at+n, len(t.s)))
			t = t.Slice(0, at)
		} else {
			add(t.Slice(0, at))
			t = t.Slice(at, len(t.s))
		}
	}
}

func (m *machine) lines(t Text, keepEnds bool) Value {
	list := &List{}
	for t.s != "" {
		m.work(valueWork)
		end, n := strings.IndexAny(t.s, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"), 0
		switch {
		case end < 0:
			end = len(t.s)
		case strings.HasPrefix(t.s[end:], "\r\n"):
			n = 2
		default:
			_, n = utf8.DecodeRuneInString(t.s[end:])
		}
		m.work(end)
		if keepEnds {
			list.items = append(list.items, t.Slice(0, end+n))
		} else {
			list.items = append(list.items, t.Slice(0, end))
		}
		t = t.Slice(end+n, len(t.s))
	}
	return list
}
