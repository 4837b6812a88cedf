package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/text/show"
)

// fields is a JSON object from which an endpoint takes the keys that it knows. end then
// refuses the keys that are left. fields keeps the first error.
type fields struct {
	path string // of the object in the body: "messages[0]."
	raw  map[string]json.RawMessage
	err  *Error
}

func parseFields(body []byte, path string) (*fields, error) {
	f := &fields{path: path}
	if err := json.Unmarshal(body, &f.raw); err != nil || f.raw == nil {
		what := "the body"
		if path != "" {
			what = strings.TrimSuffix(path, ".")
		}
		if err == nil || errors.As(err, new(*json.UnmarshalTypeError)) {
			err = errors.New("expected an object")
		}
		return nil, invalid(strings.TrimSuffix(path, "."), "%s is not a JSON object: %v", what, err)
	}
	return f, nil
}

// take removes a key and returns its value, or nil if it is absent or null.
func (f *fields) take(name string) json.RawMessage {
	v := f.raw[name]
	delete(f.raw, name)
	if string(v) == "null" {
		return nil
	}
	return v
}

// fail records an error, unless there is one.
func (f *fields) fail(name, format string, args ...any) {
	if f.err == nil {
		name = f.path + name
		f.err = invalid(name, "%s", name+" "+fmt.Sprintf(format, args...))
	}
}

// read takes a value of type T, and reports whether it was valid. kind names T to the
// client.
func read[T any](f *fields, name, kind string, to *T) bool {
	v := f.take(name)
	if v == nil {
		return false
	}
	if json.Unmarshal(v, to) != nil {
		f.fail(name, "is %s, expected %s", excerpt(v), kind)
		return false
	}
	return true
}

func (f *fields) text(name string, to *string) bool { return read(f, name, "a string", to) }
func (f *fields) flag(name string, to *bool) bool   { return read(f, name, "true or false", to) }

// number takes a number between low and high.
func (f *fields) number(name string, to *float64, low, high float64) bool {
	if !read(f, name, "a number", to) {
		return false
	}
	if !(*to >= low && *to <= high) {
		f.fail(name, "is %g, expected %g to %g", *to, low, high)
	}
	return true
}

// integer takes a whole number between low and high.
func (f *fields) integer(name string, to *int, low, high int) bool {
	if !read(f, name, "a whole number", to) {
		return false
	}
	if *to < low || *to > high {
		f.fail(name, "is %d, expected %d to %d", *to, low, high)
	}
	return true
}

// ignored lists parameters that do not affect an answer.
var ignored = []string{
	"user", "store", "metadata", "service_tier", "safety_identifier", "prompt_cache_key",
	"prompt_cache_retention", "prediction", "parallel_tool_calls",
}

// neutral lists unsupported parameters with the values that ask for nothing.
var neutral = map[string][]string{
	"audio":              nil,
	"function_call":      {`"none"`, `"auto"`},
	"functions":          {`[]`},
	"guided_json":        nil,
	"logit_bias":         {`{}`},
	"min_tokens":         {`0`},
	"modalities":         {`["text"]`},
	"reasoning_effort":   nil,
	"suffix":             {`""`},
	"tool_choice":        {`"none"`, `"auto"`},
	"tools":              {`[]`},
	"use_beam_search":    {`false`},
	"verbosity":          nil,
	"web_search_options": nil,
}

// end returns the first error. If there is none, it refuses the first key that is left.
func (f *fields) end() error {
	for _, name := range slices.Sorted(maps.Keys(f.raw)) {
		if f.err != nil {
			break
		}
		f.err = f.refuse(name)
	}
	if f.err == nil {
		return nil
	}
	return f.err
}

// refuse returns the error of a key that no endpoint took, nil if it is harmless.
func (f *fields) refuse(name string) *Error {
	value := f.take(name)
	harmless, known := neutral[name]
	switch {
	case value == nil && known || f.path == "" && slices.Contains(ignored, name):
		return nil
	case known && slices.Contains(harmless, compact(value)):
		return nil
	case known:
		return unsupported(f.path + name)
	}
	e := invalid(f.path+excerpt([]byte(name)), "unknown parameter %q", excerpt([]byte(f.path+name)))
	e.Code = "unknown_parameter"
	return e
}

func compact(v []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return ""
	}
	return b.String()
}

// excerpt returns the beginning of v, for an error.
func excerpt(v []byte) string { return show.Cut(string(v), 60) }

// newJSONEncoder returns an encoder that does not escape <, > and &: its output is never
// part of a page.
func newJSONEncoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
