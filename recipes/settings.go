package recipes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// LoadSettings sets the fields of *dst, which holds the defaults, to what the
// YAML file at path says, then to what sets say, each "key=value" with dots
// between the keys of nested fields. Path may be empty. A key that dst does not
// have is an error that names the place and the nearest key.
func LoadSettings(path string, sets []string, dst any) error {
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := decode(path, b, dst); err != nil {
			return err
		}
	}
	for _, set := range sets {
		if err := apply(set, dst); err != nil {
			return err
		}
	}
	return nil
}

// apply sets one field from "a.b=c".
func apply(set string, dst any) error {
	key, value, ok := strings.Cut(set, "=")
	if !ok || key == "" {
		return fmt.Errorf("--set %s: expected key=value", set)
	}
	var doc strings.Builder
	indent := ""
	for _, part := range strings.Split(key, ".") {
		fmt.Fprintf(&doc, "\n%s%s:", indent, part)
		indent += "  "
	}
	return decode("--set "+set, []byte(doc.String()[1:]+" "+value+"\n"), dst)
}

// decode is strict YAML with errors of the form "file:line:column: what".
func decode(place string, doc []byte, dst any) error {
	err := yaml.NewDecoder(bytes.NewReader(doc), yaml.Strict()).Decode(dst)
	if err == nil || errors.Is(err, io.EOF) { // an empty file changes nothing
		return nil
	}
	t, err := locate(err, doc, reflect.TypeOf(dst))
	if t == nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	if !strings.HasPrefix(place, "--set ") {
		place = fmt.Sprintf("%s:%d:%d", place, t.Position.Line, t.Position.Column)
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		return fmt.Errorf("%s: unknown key %q%s", place, t.Value, suggest(t.Value, keysOf(reflect.TypeOf(dst))))
	}
	var mistyped *yaml.TypeError
	if errors.As(err, &mistyped) {
		return fmt.Errorf("%s: got %s, expected %s", place, t.Value, typeName(mistyped.DstType))
	}
	var other yaml.Error
	if errors.As(err, &other) {
		return fmt.Errorf("%s: %s", place, other.GetMessage())
	}
	return fmt.Errorf("%s: %w", place, err)
}

// typeName says what to write for a value of the type.
func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint64:
		return "a whole number, not negative"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "a list: [a, b]"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	}
	return "a " + t.String()
}

// suggest names the known key nearest to an unknown one, if it is near.
func suggest(unknown string, known []string) string {
	best, distance := "", len(unknown)/2+1
	for _, key := range known {
		if d := editDistance(unknown, key); d < distance {
			best, distance = key, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// keysOf lists the YAML keys of a type and of all types within it.
func keysOf(t reflect.Type) (keys []string) {
	eachField(t, func(key string, _ reflect.Type) { keys = append(keys, key) })
	return keys
}

// eachField visits all fields with a YAML key of a type, and of all types within it.
func eachField(t reflect.Type, visit func(key string, t reflect.Type)) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		eachField(t.Elem(), visit)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
				visit(key, f.Type)
			}
			eachField(f.Type, visit)
		}
	}
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
