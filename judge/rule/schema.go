package rule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/judge"
)

const maxSchema = 16 << 20 // bytes

// schema judges JSON by a JSON schema: draft 2020-12, unless the schema names another.
type schema struct{ *jsonschema.Schema }

func newSchema(s Settings) (judge.Single, error) {
	text, place := []byte(s.Schema), "schema"
	if !inline(s.Schema) {
		var err error
		if text, err = disk.ReadLimited(s.Schema, maxSchema); err != nil {
			return nil, fmt.Errorf("schema: %w", err)
		}
		place = "schema " + s.Schema
	}
	compiled, err := compile(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	return schema{compiled}, nil
}

// inline reports whether a setting is a schema and not the name of a file.
func inline(schema string) bool { return strings.HasPrefix(strings.TrimSpace(schema), "{") }

// compile reads a schema. It asserts formats such as "date": a schema that names a format
// asks for it.
func compile(text string) (*jsonschema.Schema, error) {
	doc, err := decode(text)
	if err != nil {
		return nil, err
	}
	const name = "file:///schema.json"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(sealed{})
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// sealed refuses to load other schemas: the digest of a run covers one file, and a check must
// not need the network.
type sealed struct{}

func (sealed) Load(string) (any, error) {
	return nil, errors.New("a schema must hold all that it refers to, under $defs")
}

// Accepts implements judge.Single: a schema needs no reference.
func (schema) Accepts(judge.Question) error { return nil }

// Verdict validates the JSON of the response.
func (s schema) Verdict(_ context.Context, _ judge.Question, a judge.Answer) (judge.Verdict, error) {
	text, err := document(a.Text)
	if err != nil {
		return wrong("%v", err), nil
	}
	value, err := decode(text)
	if err != nil {
		return wrong("no JSON: %v", err), nil
	}
	var invalid *jsonschema.ValidationError
	switch err := s.Validate(value); {
	case err == nil:
		return right(""), nil
	case errors.As(err, &invalid):
		return wrong("%s", explain(invalid)), nil
	default:
		return judge.Verdict{}, err
	}
}

var fence = regexp.MustCompile("(?ms)^[ \t]*```[ \t]*([^\\s`]*)[ \t]*\r?\n(.*?)^[ \t]*```[ \t]*\r?$")

// document returns the JSON of a response: its only block fenced as JSON, else its only block
// fenced without a language, else all of it.
func document(response string) (string, error) {
	blocks := make(map[string][]string)
	for _, m := range fence.FindAllStringSubmatch(response, -1) {
		language := strings.ToLower(m[1])
		blocks[language] = append(blocks[language], m[2])
	}
	for _, language := range []string{"json", ""} {
		switch found := blocks[language]; len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return "", fmt.Errorf("%d fenced blocks: which is the answer?", len(found))
		}
	}
	return response, nil
}

// decode reads one JSON value without loss of precision.
func decode(text string) (any, error) {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return value, checkNumbers(value)
}

// checkNumbers refuses numbers that would take gigabytes: the library compares them exactly.
func checkNumbers(value any) error {
	switch v := value.(type) {
	case json.Number:
		if f, err := v.Float64(); err != nil || len(v) > 400 || f == 0 && strings.ContainsAny(v.String(), "eE") {
			return fmt.Errorf("%s is beyond the range of numbers", brief(v.String()))
		}
	case []any:
		for _, item := range v {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, item := range v {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// explain names the first reason in alphabetical order: the library checks properties in no
// fixed order, and a note must always be the same.
func explain(err *jsonschema.ValidationError) string {
	all := reasons(err)
	first := brief(slices.Min(all))
	if more := len(all) - 1; more > 0 {
		return fmt.Sprintf("%s (and %d more)", first, more)
	}
	return first
}

func reasons(err *jsonschema.ValidationError) (all []string) {
	switch k := err.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		slices.Sort(k.Properties)
	case *kind.PropertyNames:
		return []string{(&jsonschema.ValidationError{ErrorKind: k}).Error()} // the library loses its location
	}
	if len(err.Causes) == 0 {
		return []string{(&jsonschema.ValidationError{ErrorKind: err.ErrorKind, InstanceLocation: err.InstanceLocation}).Error()}
	}
	for _, cause := range err.Causes {
		all = append(all, reasons(cause)...)
	}
	return all
}
