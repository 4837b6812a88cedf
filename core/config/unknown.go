package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// unknownKey describes a key of doc that its place does not have. It names the key that is meant:
// one of the same name at another place, or the nearest one.
func unknownKey(t *token.Token, doc []byte, dst reflect.Type) error {
	above := parentsOf(t, doc)
	level, ok := typeAt(dst, above)
	if !ok {
		return fmt.Errorf("unknown key %q%s", t.Value, Suggest(t.Value, keysBelow(dst)))
	}
	var below []string // of the name, at deeper places
	for _, key := range keysBelow(level) {
		if key == t.Value || strings.HasSuffix(key, "."+t.Value) {
			below = append(below, key)
		}
	}
	direct := Suggest(t.Value, keysAt(level))
	switch {
	case len(below) > 0:
		return fmt.Errorf("unknown key %q, did you mean %s?", t.Value, quoted(below))
	case len(above) > 0 && slices.Contains(keysAt(dst), t.Value):
		return fmt.Errorf("unknown key %q in %s: it belongs at the top level", t.Value, strings.Join(above, "."))
	case direct != "":
		return fmt.Errorf("unknown key %q%s", t.Value, direct)
	}
	return fmt.Errorf("unknown key %q%s", t.Value, Suggest(t.Value, keysBelow(level)))
}

// quoted lists up to three names: "a", "b" or "c".
func quoted(names []string) string {
	const most = 3
	var list []string
	for _, name := range names[:min(most, len(names))] {
		list = append(list, fmt.Sprintf("%q", name))
	}
	last := len(list) - 1
	switch {
	case len(names) > most:
		return strings.Join(list, ", ") + " or another of that name"
	case last == 0:
		return list[0]
	}
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// parentsOf returns the keys above a key of doc, the outermost first.
func parentsOf(t *token.Token, doc []byte) []string {
	file, err := parser.ParseBytes(doc, 0)
	if err != nil {
		return nil
	}
	var keys []string
	for _, n := range ast.FilterFile(ast.MappingValueType, file) {
		pair := n.(*ast.MappingValueNode)
		if key := pair.Key.GetToken(); key.Position.Offset != t.Position.Offset && holds(pair.Value, t) {
			keys = append(keys, key.Value)
		}
	}
	return keys
}

// holds reports whether the token is a key within the node.
func holds(n ast.Node, t *token.Token) bool {
	for _, inner := range ast.Filter(ast.MappingValueType, n) {
		if inner.(*ast.MappingValueNode).Key.GetToken().Position.Offset == t.Position.Offset {
			return true
		}
	}
	return false
}

// typeAt returns the type of the value below the keys.
func typeAt(t reflect.Type, keys []string) (reflect.Type, bool) {
	for _, key := range keys {
		found := false
		eachDirect(t, func(k string, inner reflect.Type) {
			if k == key {
				t, found = inner, true
			}
		})
		if !found {
			return nil, false
		}
	}
	return t, true
}

// keysAt lists the keys that a value of the type has.
func keysAt(t reflect.Type) (keys []string) {
	eachDirect(t, func(key string, _ reflect.Type) { keys = append(keys, key) })
	return keys
}

// keysBelow lists the keys of a type and of all types within it: "lora.r".
func keysBelow(t reflect.Type) (keys []string) {
	eachDirect(t, func(key string, inner reflect.Type) {
		keys = append(keys, key)
		for _, deeper := range keysBelow(inner) {
			keys = append(keys, key+"."+deeper)
		}
	})
	return keys
}

// eachDirect visits the fields with a YAML key of a type, and of the structs that it embeds. A list
// has the fields of its elements.
func eachDirect(t reflect.Type, visit func(key string, t reflect.Type)) {
	if t.Kind() != reflect.Pointer && t.Implements(reflect.TypeFor[shaped]()) {
		t = reflect.Zero(t).Interface().(shaped).YAMLShape()
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		eachDirect(t.Elem(), visit)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
				visit(key, f.Type)
			} else if f.Anonymous {
				eachDirect(f.Type, visit)
			}
		}
	}
}
