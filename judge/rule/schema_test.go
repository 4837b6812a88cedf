package rule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/judge"
)

const person = `{
	"type": "object", "required": ["name", "age"], "additionalProperties": false,
	"properties": {
		"name": {"type": "string", "pattern": "^[A-Z]"},
		"age": {"type": "integer", "minimum": 0, "maximum": 150},
		"born": {"type": "string", "format": "date"},
		"friends": {"type": "array", "items": {"$ref": "#"}, "uniqueItems": true},
		"tags": {"propertyNames": {"maxLength": 2}}
	}
}`

func TestSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "person.json")
	if err := os.WriteFile(file, []byte(person), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		response string
		correct  bool
		note     string
	}{
		{`{"name": "Mira", "age": 7}`, true, ""},
		{" \n" + `{"name": "Mira", "age": 7.0, "born": "2020-02-29"}` + "\n", true, ""},
		{"Here it is:\n```json\n{\"name\": \"Mira\", \"age\": 7}\n```\nDone.", true, ""},
		{"```\r\n{\"name\": \"Mira\", \"age\": 7}\r\n```", true, ""},
		{"```python\nprint(1)\n```\n```JSON\n{\"name\": \"Mira\", \"age\": 7}\n```", true, ""},
		{`{"name": "Mira", "age": 7, "friends": [{"name": "Ole", "age": 8}]}`, true, ""},
		{`{"name": "Mira"}`, false, "at '': missing property 'age'"},
		{`{"name": "mira", "age": -1}`, false, "at '/age': minimum: got -1, want 0 (and 1 more)"},
		{`{"name": "Mira", "age": 7.5}`, false, "at '/age': got number, want integer"},
		{`{"name": "Mira", "age": 7, "born": "2021-02-29"}`, false, "at '/born': '2021-02-29' is not valid date: parsing time \"2021-02-29\": day out of range"},
		{`{"name": "Mira", "age": 7, "z": 1, "y": 2, "x": 3}`, false, "at '': additional properties 'x', 'y', 'z' not allowed"},
		{`{"name": "Mira", "age": 7, "friends": [{"name": "Ole"}]}`, false, "at '/friends/0': missing property 'age'"},
		{`{"name": "Mira", "age": 7, "friends": [{"name": "Ole", "age": 1}, {"age": 1e0, "name": "Ole"}]}`, false, "at '/friends': items at 0 and 1 are equal"},
		{`{"name": "Mira", "age": 7, "tags": {"long": 1}}`, false, "at '': invalid propertyName 'long'"},
		{`{"name": "Mira", "age": 1e999999999}`, false, "no JSON: 1e999999999 is beyond the range of numbers"},
		{`{"name": "Mira", "age": 1e99999999999999999999}`, false, "no JSON: 1e99999999999999999999 is beyond the range of numbers"},
		{`{"name": "Mira", "age": 1e-999999999}`, false, "no JSON: 1e-999999999 is beyond the range of numbers"},
		{`{"name": "Mira", "age": ` + strings.Repeat("9", 300) + `.5}`, false, "no JSON"},
		{`{"name": "Mira", "age": 7} {"name": "Ole", "age": 8}`, false, "no JSON: invalid character after top-level value"},
		{`Sure: {"name": "Mira", "age": 7}`, false, "no JSON: invalid character 'S' looking for beginning of value"},
		{"```json\n{\"name\": \"Mira\", \"age\": 7}\n", false, "no JSON: invalid character '`' looking for beginning of value"},
		{"```json\n1\n```\n```json\n2\n```", false, "2 fenced blocks: which is the answer?"},
		{strings.Repeat("[", 20000), false, "no JSON: invalid character '[' exceeded max depth"},
		{"", false, "no JSON: EOF"},
	} {
		for _, setting := range []string{person, file} {
			o := outcome(t, Settings{Kind: Schema, Schema: setting}, judge.Question{}, c.response)
			if (o.Correct == judge.Correct) != c.correct || o.Note != c.note && c.note != "no JSON" {
				t.Errorf("%.80q: %+v, want %v with note %q", c.response, o, c.correct, c.note)
			}
		}
	}
}

func TestSchemaErrors(t *testing.T) {
	for setting, want := range map[string]string{
		"nowhere.json":      "check: schema: open nowhere.json: no such file or directory",
		"{":                 "check: schema: unexpected EOF",
		`{"type": "float"}`: "check: schema: ",
		`{"$ref": "https://example.com/other.json"}`: "a schema must hold all that it refers to",
		`{"$ref": "other.json"}`:                     "a schema must hold all that it refers to",
		`{"$ref": "#/$defs/none"}`:                   "check: schema: ",
		`{"pattern": "(?=x)"}`:                       "check: schema: ",
		`{"minimum": 1e999999999}`:                   "1e999999999 is beyond the range of numbers",
	} {
		if _, err := newRule(Settings{Kind: Schema, Schema: setting}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", setting, err, want)
		}
	}
}

func FuzzSchema(f *testing.F) {
	for _, response := range []string{`{"name": "Mira", "age": 7}`, "```json\n[1e5]\n```", "```\n```", "\"\xff\"", "-0.0e-7"} {
		f.Add(person, response)
	}
	f.Add(`{"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#"}, {"const": [1]}]}}}`, "[1]")
	f.Add(`{"$id": "x", "$anchor": "y", "$dynamicRef": "#y", "$schema": "http://json-schema.org/draft-07/schema#"}`, "{}")
	f.Fuzz(func(t *testing.T, schema, response string) {
		if !inline(schema) {
			return
		}
		c, err := newRule(Settings{Kind: Schema, Schema: schema})
		if err != nil {
			return
		}
		one, err := c.Verdict(t.Context(), judge.Question{}, judge.Answer{Text: response})
		two, err2 := c.Verdict(t.Context(), judge.Question{}, judge.Answer{Text: "\n " + response + "\n"})
		if err != nil || err2 != nil || one.Correct != two.Correct {
			t.Errorf("%q by %s: %+v, %v; with blanks around: %+v, %v", response, schema, one, err, two, err2)
		}
	})
}
