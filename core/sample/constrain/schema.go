package constrain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Schema returns the grammar of JSON values that a JSON Schema (2020-12) describes. It enforces type,
// enum, const, properties, required, additionalProperties, items, prefixItems, minItems, maxItems,
// minLength, maxLength, pattern, format, minimum, maximum and their exclusive forms for integers,
// anyOf, oneOf of values that cannot be confused, allOf of one schema, and $ref within the schema. It
// returns an error with the place of anything else, except of annotations.
func Schema(source []byte) (*Grammar, error) {
	root, err := parse(source)
	if err != nil {
		return nil, err
	}
	c := &compiler{root: root, rules: map[string]int32{}, walked: map[string]walk{}}
	start := c.rule()
	c.any = c.rule()
	body := c.schema(root, "")
	if c.err != nil {
		return nil, c.err
	}
	c.define(start, seq(space, body))
	c.define(c.any, anyValue(c.any))
	for len(c.wanted) > 0 && c.err == nil {
		w := c.wanted[0]
		c.wanted = c.wanted[1:]
		if p := c.schema(w.schema, w.at); c.err == nil {
			c.define(w.rule, p)
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return &c.Grammar, nil
}

// compiler makes a grammar of a schema.
type compiler struct {
	builder
	root   any
	any    int32            // rule of any value
	rules  map[string]int32 // of what is referred to, by its place
	wanted []reference      // rules to define
	walked map[string]walk  // by place, see loops
}

type reference struct {
	rule   int32
	schema any
	at     string
}

// refuse keeps the first error, and returns a piece in place of a schema.
func (c *compiler) refuse(at, format string, args ...any) piece {
	if c.err == nil {
		c.err = faultAt(at, format, args...)
	}
	return seq()
}

// annotations are keywords that do not restrict values.
var annotations = []string{
	"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
	"$schema", "$id", "$comment", "$defs", "definitions", "$anchor",
}

// keywords lists the keywords that a schema of each type may have.
var keywords = map[string][]string{
	"object":  {"properties", "required", "additionalProperties"},
	"array":   {"items", "prefixItems", "minItems", "maxItems"},
	"string":  {"minLength", "maxLength", "pattern", "format"},
	"integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"number":  {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"boolean": nil, "null": nil,
}

// types lists the types, in the order in which a schema without one is taken for them.
var types = []string{"object", "array", "string", "integer", "number", "boolean", "null"}

// combining lists the keywords that stand alone, besides annotations.
var combining = []string{"$ref", "anyOf", "oneOf", "allOf"}

// schema returns the values of a schema.
func (c *compiler) schema(s any, at string) piece {
	if c.err != nil {
		return seq()
	}
	switch s := s.(type) {
	case bool:
		if s {
			return call(c.any)
		}
		return c.refuse(at, "is false: it allows no value")
	case *dict:
		return c.dict(s, at)
	}
	return c.refuse(at, "is no schema: expected an object, true or false")
}

func (c *compiler) dict(s *dict, at string) piece {
	var rest []string
	for _, key := range s.keys {
		if !slices.Contains(annotations, key) {
			rest = append(rest, key)
		}
	}
	for _, key := range combining {
		if slices.Contains(rest, key) {
			if len(rest) > 1 {
				other := rest[0]
				if other == key {
					other = rest[1]
				}
				return c.refuse(at, "has %s and %s: herd does not combine them", key, other)
			}
			return c.combined(s, key, at)
		}
	}
	if values, name, ok := c.listed(s, at); ok {
		return c.enum(s, values, name, rest, at)
	}
	if len(rest) == 0 {
		return call(c.any)
	}
	kinds := c.kinds(s, rest, at)
	var pieces []piece
	for _, kind := range kinds {
		pieces = append(pieces, c.typed(s, kind, at))
	}
	for _, key := range rest {
		if !slices.ContainsFunc(kinds, func(kind string) bool { return slices.Contains(keywords[kind], key) }) && key != "type" {
			return c.unknown(key, kinds, at)
		}
	}
	if len(pieces) == 1 {
		return pieces[0]
	}
	return alt(pieces...)
}

func (c *compiler) unknown(key string, kinds []string, at string) piece {
	for _, names := range keywords {
		if slices.Contains(names, key) && len(kinds) > 0 {
			return c.refuse(at, "has %s, but its type is %s", key, strings.Join(kinds, " or "))
		}
	}
	return c.refuse(at+"/"+escape(key), "herd cannot enforce this keyword: leave it out, and check the answer")
}

// kinds returns the types of values: those that type names, else that of the first keyword.
func (c *compiler) kinds(s *dict, rest []string, at string) (kinds []string) {
	switch t := s.values["type"].(type) {
	case string:
		kinds = []string{t}
	case []any:
		for _, v := range t {
			name, ok := v.(string)
			if !ok || slices.Contains(kinds, name) {
				c.refuse(at+"/type", "is %v, expected different names of types", t)
				return nil
			}
			kinds = append(kinds, name)
		}
	default:
		if _, has := s.values["type"]; has {
			c.refuse(at+"/type", "is %v, expected a name of a type, or a list of them", t)
			return nil
		}
		for _, kind := range types {
			if slices.ContainsFunc(rest, func(key string) bool { return slices.Contains(keywords[kind], key) }) {
				if kind == "integer" {
					kind = "number"
				}
				return []string{kind}
			}
		}
		c.unknown(rest[0], nil, at)
		return nil
	}
	for _, kind := range kinds {
		if !slices.Contains(types, kind) {
			c.refuse(at+"/type", "is %q, expected one of %s", kind, strings.Join(types, ", "))
		}
	}
	if len(kinds) == 0 {
		c.refuse(at+"/type", "is an empty list")
	}
	return kinds
}

// typed returns the values of one type.
func (c *compiler) typed(s *dict, kind, at string) piece {
	switch kind {
	case "object":
		return c.object(s, at)
	case "array":
		return c.array(s, at)
	case "string":
		return c.text(s, at)
	case "integer":
		return c.integer(s, at)
	case "number":
		for _, key := range keywords["number"] {
			if _, has := s.values[key]; has {
				return c.refuse(at+"/"+key, "herd can enforce this keyword for integers only")
			}
		}
		return number
	case "boolean":
		return alt(literal("true"), literal("false"))
	}
	return literal("null")
}

// listed returns the values of const or enum.
func (c *compiler) listed(s *dict, at string) (values []any, name string, ok bool) {
	if v, has := s.values["const"]; has {
		return []any{v}, "const", true
	}
	v, has := s.values["enum"]
	if !has {
		return nil, "", false
	}
	values, _ = v.([]any)
	if len(values) == 0 {
		c.refuse(at+"/enum", "expected a list of values, with at least one")
	}
	return values, "enum", true
}

// enum passes one of the values, of those of the schema's type.
func (c *compiler) enum(s *dict, values []any, name string, rest []string, at string) piece {
	for _, key := range rest {
		if key != name && key != "type" {
			return c.refuse(at, "has %s and %s: herd does not combine them", name, key)
		}
	}
	var kinds []string
	if _, has := s.values["type"]; has {
		kinds = c.kinds(s, rest, at)
	}
	var pieces []piece
	for _, v := range values {
		if kinds == nil || slices.ContainsFunc(kinds, func(kind string) bool { return isOf(v, kind) }) {
			pieces = append(pieces, constant(v))
		}
	}
	if len(pieces) == 0 {
		return c.refuse(at+"/"+name, "no value is of the type")
	}
	return alt(pieces...)
}

// isOf reports whether a value is of a type.
func isOf(v any, kind string) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case []any:
		return kind == "array"
	case *dict:
		return kind == "object"
	case json.Number:
		x, err := v.Float64()
		return kind == "number" || kind == "integer" && err == nil && x == float64(int64(x))
	}
	return false
}

// constant passes one value.
func constant(v any) piece {
	switch v := v.(type) {
	case string:
		return quoted(v)
	case []any:
		var values []piece
		for _, x := range v {
			values = append(values, constant(x))
		}
		return array(values, nil, len(values), len(values))
	case *dict:
		var members []piece
		for i, key := range v.keys {
			one := member(quoted(key), constant(v.values[key]))
			if i > 0 {
				one = seq(comma, one)
			}
			members = append(members, one)
		}
		return object(seq(members...))
	case json.Number:
		return literal(string(v))
	case bool:
		return literal(strconv.FormatBool(v))
	}
	return literal("null")
}

// combined returns the values of a schema that consists of others.
func (c *compiler) combined(s *dict, key, at string) piece {
	if key == "$ref" {
		return c.refer(s.values[key], at+"/$ref")
	}
	list, _ := s.values[key].([]any)
	if len(list) == 0 {
		return c.refuse(at+"/"+key, "expected a list of schemas, with at least one")
	}
	if key == "allOf" && len(list) > 1 {
		return c.refuse(at+"/allOf", "has %d schemas: herd does not combine them", len(list))
	}
	var pieces []piece
	for i, one := range list {
		pieces = append(pieces, c.schema(one, fmt.Sprintf("%s/%s/%d", at, key, i)))
	}
	if key == "oneOf" {
		c.exclusive(list, at+"/oneOf")
	}
	return alt(pieces...)
}

// refer passes a rule for what a reference names.
func (c *compiler) refer(v any, at string) piece {
	name, ok := v.(string)
	if !ok || name != "#" && !strings.HasPrefix(name, "#/") {
		return c.refuse(at, "is %v, expected a place in this schema: #/...", v)
	}
	place := name[1:]
	target, ok := c.find(place)
	if !ok {
		return c.refuse(at, "is %q, which is not in this schema", name)
	}
	if c.loops(target, place) {
		return c.refuse(at, "leads back to %q without a value between", name)
	}
	rule, known := c.rules[place]
	if !known {
		rule = c.rule()
		c.rules[place] = rule
		c.wanted = append(c.wanted, reference{rule, target, place})
	}
	return call(rule)
}

// find returns what stands at a place of the schema.
func (c *compiler) find(place string) (any, bool) {
	at := c.root
	if place == "" {
		return at, true
	}
	for _, key := range strings.Split(place[1:], "/") {
		key = pointerTexts.Replace(key)
		switch v := at.(type) {
		case *dict:
			var ok bool
			if at, ok = v.values[key]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// walk is how far loops is with a schema.
type walk int

const (
	walking walk = iota + 1
	walkedThrough
)

// loops reports whether a schema refers to itself by combining keywords alone.
func (c *compiler) loops(s any, place string) bool {
	d, ok := s.(*dict)
	if !ok || c.walked[place] != 0 {
		return c.walked[place] == walking
	}
	c.walked[place] = walking
	defer func() { c.walked[place] = walkedThrough }()
	if name, ok := d.values["$ref"].(string); ok && strings.HasPrefix(name, "#") {
		if target, found := c.find(name[1:]); found && c.loops(target, name[1:]) {
			return true
		}
	}
	for _, key := range combining[1:] {
		list, _ := d.values[key].([]any)
		for i, one := range list {
			if c.loops(one, fmt.Sprintf("%s/%s/%d", place, key, i)) {
				return true
			}
		}
	}
	return false
}
