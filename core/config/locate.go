package config

import (
	"encoding"
	"errors"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// locate returns the token of doc that a decoder's error is about, or nil if it is unknown, and
// the error to report.
func locate(err error, doc []byte, dst reflect.Type) (*token.Token, error) {
	var placed yaml.Error
	if errors.As(err, &placed) {
		return placed.GetToken(), err
	}
	if t, refused := misnamed(doc, dst); refused != nil {
		return t, refused
	}
	return nil, err
}

// misnamed finds the first value in doc that is not a name that its field accepts. The decoder
// passes on the error of encoding.TextUnmarshaler, but not its place.
func misnamed(doc []byte, dst reflect.Type) (*token.Token, error) {
	file, err := parser.ParseBytes(doc, 0)
	if err != nil {
		return nil, nil // something else is wrong
	}
	named := namedFields(dst)
	for _, n := range ast.FilterFile(ast.MappingValueType, file) {
		pair := n.(*ast.MappingValueNode)
		if t, ok := named[pair.Key.GetToken().Value]; ok {
			value := pair.Value.GetToken()
			if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(value.Value)); err != nil {
				return value, err
			}
		}
	}
	return nil, nil
}

// namedFields returns the types that are read from a name, by the keys of their fields.
func namedFields(dst reflect.Type) map[string]reflect.Type {
	named := make(map[string]reflect.Type)
	eachField(dst, func(key string, t reflect.Type) {
		if readsText(t) {
			named[key] = t
		}
	})
	return named
}
