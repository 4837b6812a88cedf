// Package config fills settings structs from YAML files and "key=value" assignments, and
// lists the settings that a struct has. Settings are plain structs with `yaml` tags; the
// caller fills one with its defaults first.
//
// Use it for everything that a person configures: an unknown key, a value of the wrong type
// or a key that is given twice is an error with file, line and column, and with the nearest
// key that exists.
//
// Begin with Load. Fields and Paths list the settings of a struct.
package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// Assignment sets one key to a value: "learning_rate=1e-4". Dots separate the keys of nested
// fields: "architecture.hidden_size=64". The value is YAML.
type Assignment struct {
	Text  string // "key=value"
	Place string // where the assignment was written, for errors
}

// Assignments returns an assignment for each text. Errors call it by origin and text.
func Assignments(origin string, texts ...string) []Assignment {
	list := make([]Assignment, len(texts))
	for i, t := range texts {
		list[i] = Assignment{Text: t, Place: origin + " " + t}
	}
	return list
}

// Load sets the fields of *dst, which holds the defaults, first from the YAML file at path,
// then from the assignments in their order. An empty path means no file.
func Load(path string, assignments []Assignment, dst any) error {
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := Decode(path, b, dst); err != nil {
			return err
		}
	}
	for _, a := range assignments {
		if err := a.Apply(dst); err != nil {
			return err
		}
	}
	return nil
}

// Apply sets one field of *dst. A list needs no brackets: "a,b" is [a, b].
func (a Assignment) Apply(dst any) error {
	key, value, ok := strings.Cut(a.Text, "=")
	if !ok || key == "" {
		return fmt.Errorf("%s: expected key=value", a.Place)
	}
	if f, known := Find(dst, key); known && f.Value.Kind() == reflect.Slice && isPlainList(value) {
		value = "[" + value + "]"
	}
	var doc strings.Builder
	indent := ""
	for _, part := range strings.Split(key, ".") {
		fmt.Fprintf(&doc, "\n%s%s:", indent, part)
		indent += "  "
	}
	return decode([]byte(doc.String()[1:]+" "+value+"\n"), dst, func(*token.Token) string { return a.Place })
}

// isPlainList reports whether value lists names or numbers without YAML's brackets.
func isPlainList(value string) bool {
	value = strings.TrimSpace(value)
	return value != "" && value != "null" && !strings.ContainsAny(value[:1], "[{-&*!|>%@`\"'#")
}

// Within returns the assignment for the settings below a name, if its key begins with the
// name: of "dpo.beta=1", the one for "dpo" is "beta=1".
func (a Assignment) Within(name string) (Assignment, bool) {
	rest, ok := strings.CutPrefix(a.Text, name+".")
	return Assignment{Text: rest, Place: a.Place}, ok
}
