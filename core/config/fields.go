package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// Field is one setting, or a group of settings: a field that is a struct.
type Field struct {
	Key   string        // "architecture.hidden_size"
	Value reflect.Value // can be set if the settings were given by pointer
	Owner reflect.Type  // the struct that declares the field ...
	Name  string        // ... and its name there
	Group bool
	tag   reflect.StructTag
}

// Unset reports whether the field is an optional group of which nothing is set.
func (f Field) Unset() bool {
	return f.Group && f.Value.IsZero() && strings.HasSuffix(f.tag.Get("json"), ",omitzero")
}

// Text returns the value as a person writes it: "[]" for an empty list.
func (f Field) Text() string {
	if f.Value.Kind() == reflect.Slice && f.Value.Len() == 0 {
		return "[]"
	}
	return fmt.Sprint(f.Value.Interface())
}

// Walk visits all settings of a struct, or of a struct that a pointer points to, in the order
// of their declaration. The fields of an embedded struct count as the outer struct's own.
// Walk enters a group only if visit returns true for it.
func Walk(settings any, visit func(Field) bool) {
	v := reflect.ValueOf(settings)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	walk("", v, visit)
}

func walk(prefix string, v reflect.Value, visit func(Field) bool) {
	for i := range v.NumField() {
		declared, value := v.Type().Field(i), v.Field(i)
		key, _, _ := strings.Cut(declared.Tag.Get("yaml"), ",")
		if declared.Anonymous {
			walk(prefix, value, visit)
			continue
		}
		if key == "" {
			continue
		}
		f := Field{Key: prefix + key, Value: value, Owner: v.Type(), Name: declared.Name, tag: declared.Tag}
		f.Group = value.Kind() == reflect.Struct && !readsText(value.Type())
		if visit(f) && f.Group {
			walk(f.Key+".", value, visit)
		}
	}
}

// readsText reports whether values of the type are read from a name: "bf16".
func readsText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// Find returns the setting with the key.
func Find(settings any, key string) (found Field, ok bool) {
	Walk(settings, func(f Field) bool {
		if f.Key == key {
			found, ok = f, true
		}
		return strings.HasPrefix(key, f.Key+".")
	})
	return found, ok
}

// shaped is a type whose YAML form has the keys of another type.
type shaped interface{ YAMLShape() reflect.Type }

// eachField visits all fields with a YAML key of a type, and of all types within it.
func eachField(t reflect.Type, visit func(key string, t reflect.Type)) {
	eachDirect(t, func(key string, inner reflect.Type) {
		visit(key, inner)
		eachField(inner, visit)
	})
}
