package constrain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxDepth limits how deep a schema nests.
const maxDepth = 64

// fault is an error at a place in a schema, as a JSON pointer (RFC 6901).
type fault struct {
	at   string
	what string
}

func (e *fault) Error() string {
	at := e.at
	if at == "" {
		at = "the schema"
	}
	return at + ": " + e.what
}

func faultAt(at, format string, args ...any) error { return &fault{at, fmt.Sprintf(format, args...)} }

// dict is a JSON object in its order.
type dict struct {
	keys   []string
	values map[string]any
}

// parse reads JSON, keeping the order of objects: nil, bool, json.Number, string, []any or *dict.
func parse(source []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	v, err := parseValue(d, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, faultAt("", "there is more than one JSON value")
	}
	return v, nil
}

func parseValue(d *json.Decoder, at string, depth int) (any, error) {
	if depth > maxDepth {
		return nil, faultAt(at[:min(len(at), 60)], "nests deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, faultAt(at, "not JSON: %v", err)
	}
	switch t {
	case json.Delim('{'):
		return parseDict(d, at, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d, fmt.Sprintf("%s/%d", at, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, ended(at, err)
	}
	return t, nil
}

func parseDict(d *json.Decoder, at string, depth int) (any, error) {
	m := &dict{values: map[string]any{}}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, faultAt(at, "not JSON: %v", err)
		}
		key := t.(string) // the decoder lets nothing else pass
		if _, twice := m.values[key]; twice {
			return nil, faultAt(at, "has the key %q twice", key)
		}
		v, err := parseValue(d, at+"/"+escape(key), depth+1)
		if err != nil {
			return nil, err
		}
		m.keys, m.values[key] = append(m.keys, key), v
	}
	_, err := d.Token()
	return m, ended(at, err)
}

func ended(at string, err error) error {
	if err != nil {
		return faultAt(at, "not JSON: %v", err)
	}
	return nil
}

var (
	pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")
	pointerTexts   = strings.NewReplacer("~1", "/", "~0", "~")
)

func escape(key string) string { return pointerEscapes.Replace(key) }
