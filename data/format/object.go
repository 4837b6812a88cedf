package format

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/show"
)

// object is one JSON row while a converter takes it apart. It marks the keys that the converter
// takes; the others become meta columns. err keeps the first value of a wrong type, with its
// key, so that converters need not check each value.
type object struct {
	*reading
	raw  json.RawMessage
	keys map[string]json.RawMessage
	used map[string]bool
	err  error

	dialogue bool   // the prompt is one of Anthropic's dialogues, whose turns begin with a blank
	skip     string // why the import leaves the row out, though it is sound; "" if it does not
}

func (r *reading) parseObject(raw json.RawMessage) (*object, error) {
	o := &object{reading: r, raw: raw, used: map[string]bool{}}
	if err := json.Unmarshal(raw, &o.keys); err != nil {
		return o, err
	}
	if members(raw) > len(o.keys) {
		return o, errors.New("a key occurs twice in one object: herd cannot tell which value counts")
	}
	return o, nil
}

// members counts the members of a valid JSON object, also those that have the same key.
func members(raw []byte) (n int) {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ':' && depth == 1:
			n++
		}
	}
	return n
}

// has reports whether all keys are present and not null.
func (o *object) has(keys ...string) bool {
	for _, k := range keys {
		if v, ok := o.keys[k]; !ok || isNull(v) {
			return false
		}
	}
	return true
}

// hasAny reports whether one of the keys is present and not null.
func (o *object) hasAny(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return o.has(key) })
}

// take returns the value of the first key that is present and says something. If none does, it
// returns the first that is present, or nil.
func (o *object) take(keys ...string) (key string, v json.RawMessage) {
	for _, k := range keys {
		if o.has(k) && !isEmpty(o.keys[k]) {
			o.used[k] = true
			return k, o.keys[k]
		}
	}
	for _, k := range keys {
		if o.has(k) {
			o.used[k] = true
			return k, o.keys[k]
		}
	}
	return keys[0], nil
}

func (o *object) fail(key string, err error) {
	if o.err == nil && err != nil {
		o.err = fmt.Errorf("%s: %w", key, err)
	}
}

// text takes a string, "" if no key is present.
func (o *object) text(keys ...string) string {
	key, v := o.take(keys...)
	if v == nil {
		return ""
	}
	s, err := parseText(v)
	o.fail(key, err)
	return s
}

// textIfAny takes a string, and leaves any other type for the meta columns.
func (o *object) textIfAny(key string) string {
	if !o.has(key) || o.keys[key][0] != '"' {
		return ""
	}
	return o.text(key)
}

// name takes a string or a number, since ids may be either.
func (o *object) name(keys ...string) string {
	key, v := o.take(keys...)
	if v == nil {
		return ""
	}
	if c := v[0]; c == '-' || c >= '0' && c <= '9' {
		return string(v)
	}
	s, err := parseText(v)
	o.fail(key, err)
	return s
}

// number takes a number, nil if no key is present.
func (o *object) number(keys ...string) *float64 {
	key, v := o.take(keys...)
	if v == nil {
		return nil
	}
	x, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		o.fail(key, fmt.Errorf("is %s, expected a number", brief(v)))
		return nil
	}
	return &x
}

// messages takes a list of messages. A single message or a string counts as a list of one; the
// string gets the given role.
func (o *object) messages(role string, keys ...string) []chat.Message {
	key, v := o.take(keys...)
	if v == nil {
		return nil
	}
	ms, err := o.parseMessages(v, role)
	o.fail(key, err)
	return ms
}

// rest returns the values that the converter did not take as text: strings as they are, other
// types as JSON.
func (o *object) rest() map[string]string {
	meta := map[string]string{}
	for key, v := range o.keys {
		if o.used[key] || isEmpty(v) {
			continue
		}
		if o.ignores(key) {
			o.drop(key)
			continue
		}
		o.reading.keep(key)
		if s, err := parseText(v); err == nil {
			meta[key] = s
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, v); err != nil {
			o.fail(key, err)
		}
		meta[key] = compact.String()
	}
	return meta
}

func (o *object) keyNames() string {
	const most = 20
	names := slices.Sorted(maps.Keys(o.keys))
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

func isNull(v json.RawMessage) bool { return string(v) == "null" }

func parseText(v json.RawMessage) (string, error) {
	if v[0] != '"' {
		return "", fmt.Errorf("is %s, expected a string", brief(v))
	}
	var s string
	err := json.Unmarshal(v, &s)
	return s, err
}

// brief describes a value in an error.
func brief(v json.RawMessage) string {
	const most = 40
	switch v[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	return show.Cut(string(v), most)
}
