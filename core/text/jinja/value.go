package jinja

import (
	"math"
	"strings"
	"unicode/utf8"
)

// Value is a value of a template: nil, bool, int64, float64, [Text], *[List], *[Dict], or a type
// that only templates create.
type Value any

// List is a Python list, tuple, or iterator.
type List struct {
	items []Value
	kind  listKind
}

type listKind uint8

const (
	plain    listKind = iota
	tuple             // prints with parentheses
	iterator          // always true, has no length, and is empty once read
)

// NewList returns a list of values.
func NewList(items ...Value) *List { return &List{items: items} }

// Dict is a Python dictionary: its keys keep the order in which they were set.
type Dict struct {
	keys, values []Value
	index        map[any]int // position of each key; nil for few keys
}

// NewDict returns an empty dictionary.
func NewDict() *Dict { return &Dict{} }

// Set sets the value of a key that is a string.
func (d *Dict) Set(key Text, v Value) { d.set(key, v) }

// maxLinear is the maximum number of keys that find searches linearly.
const maxLinear = 8

func (d *Dict) set(key, v Value) {
	if i := d.find(key); i >= 0 {
		d.values[i] = v
		return
	}
	d.keys, d.values = append(d.keys, key), append(d.values, v)
	switch {
	case d.index != nil:
		d.index[hashed(key)] = len(d.keys) - 1
	case len(d.keys) > maxLinear:
		d.index = make(map[any]int, 2*maxLinear)
		for i, k := range d.keys {
			d.index[hashed(k)] = i
		}
	}
}

// find returns the index of a key, or -1.
func (d *Dict) find(key Value) int {
	h := hashed(key)
	if d.index != nil {
		if i, ok := d.index[h]; ok {
			return i
		}
		return -1
	}
	for i, k := range d.keys {
		if hashed(k) == h {
			return i
		}
	}
	return -1
}

func (d *Dict) get(key Value) (Value, bool) {
	if i := d.find(key); i >= 0 {
		return d.values[i], true
	}
	return nil, false
}

// hashed returns the form of a key for a Go map, in which equal numbers are one key.
func hashed(key Value) any {
	switch k := key.(type) {
	case Text:
		return k.s
	case nil, int64:
		return k
	case bool, float64:
		if x, ok := asInt(k); ok {
			return x
		}
		return k
	}
	fail("a dictionary key cannot be %s", describe(key))
	return nil
}

func asInt(v Value) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case float64:
		if n := int64(x); float64(n) == x && math.Abs(x) < 1<<62 {
			return n, true
		}
	}
	return 0, false
}

// undefined is the value of an unassigned name.
type undefined struct{ what string }

// namespace is the result of namespace(), with attributes that a template can set.
type namespace struct{ Dict }

// function is a value that can be called.
type function func(f *frame, a *args) Value

func typeName(v Value) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case Text:
		return "string"
	case *List:
		return [...]string{"list", "tuple", "iterator"}[v.kind]
	case *Dict:
		return "dictionary"
	case *namespace:
		return "namespace"
	case undefined:
		return "undefined value (" + v.what + ")"
	}
	return "function"
}

func truth(v Value) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case Text:
		return v.s != ""
	case *List:
		return v.kind == iterator || len(v.items) > 0
	case *Dict:
		return len(v.keys) > 0
	}
	return true
}

// length returns the length of v as Python's len does, for a text in characters.
func (m *machine) length(v Value) int {
	switch v := v.(type) {
	case Text:
		m.work(len(v.s) / 8)
		return utf8.RuneCountInString(v.s)
	case *List:
		if v.kind != iterator {
			return len(v.items)
		}
	case *Dict:
		return len(v.keys)
	case undefined:
		return 0
	}
	fail("%s has no length", describe(v))
	return 0
}

// each returns the elements that Python's iteration over v yields.
func (m *machine) each(v Value) []Value {
	switch v := v.(type) {
	case *List:
		items := v.items
		if v.kind == iterator {
			v.items = nil
		}
		return items
	case *Dict:
		return v.keys
	case Text:
		m.work(valueWork * len(v.s))
		items := make([]Value, 0, len(v.s))
		for rest := v.as(false); rest.s != ""; {
			_, n := utf8.DecodeRuneInString(rest.s)
			items, rest = append(items, rest.Slice(0, n)), rest.Slice(n, len(rest.s))
		}
		return items
	case undefined:
		return nil
	}
	fail("cannot iterate over %s", describe(v))
	return nil
}

// describe returns the name of v's type with an article.
func describe(v Value) string {
	name := typeName(v)
	if strings.ContainsAny(name[:1], "aeiou") {
		return "an " + name
	}
	return "a " + name
}
