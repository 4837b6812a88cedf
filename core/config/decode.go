package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// Decode sets the fields of *dst from YAML. Errors have the form
// "place:line:column: what is wrong". An empty document changes nothing.
func Decode(place string, doc []byte, dst any) error {
	return decode(doc, dst, func(t *token.Token) string {
		if t == nil {
			return place
		}
		return fmt.Sprintf("%s:%d:%d", place, t.Position.Line, t.Position.Column)
	})
}

// decode calls place for errors only, with the token that the error is about, or nil.
func decode(doc []byte, dst any, place func(*token.Token) string) error {
	err := yaml.NewDecoder(bytes.NewReader(doc), yaml.Strict()).Decode(dst)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	t, err := locate(err, doc, reflect.TypeOf(dst))
	if t == nil {
		return fmt.Errorf("%s: %w", place(nil), err)
	}
	return fmt.Errorf("%s: %w", place(t), explain(err, t, doc, reflect.TypeOf(dst)))
}

// explain puts a decoder's error about a token into words for the person who wrote it.
func explain(err error, t *token.Token, doc []byte, dst reflect.Type) error {
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		return unknownKey(t, doc, dst)
	}
	var mistyped *yaml.TypeError
	if errors.As(err, &mistyped) {
		return fmt.Errorf("got %s, expected %s", t.Value, TypeName(mistyped.DstType))
	}
	var other yaml.Error
	if errors.As(err, &other) {
		return errors.New(other.GetMessage())
	}
	return err
}

// TypeName describes a value of the type, as an error asks for it.
func TypeName(t reflect.Type) string {
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
