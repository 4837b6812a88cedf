package chat

import (
	"bytes"
	"encoding/json"
)

// JSON is one JSON value that herd passes on without changing it: the tools of a chat, or the
// arguments of a call. It is in compact form. Its keys keep the order of the source, because
// models are trained on that order and a Go map would lose it. "" is no value.
type JSON string

// ParseJSON returns the value in compact form. It returns an error if raw is not one JSON value.
func ParseJSON(raw []byte) (JSON, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return "", err
	}
	return JSON(b.String()), nil
}

// Begins reports whether the value begins with c: '{' for an object, '[' for a list.
func (t JSON) Begins(c byte) bool { return t != "" && t[0] == c }

// MarshalJSON writes the value as it is, and null for none.
func (t JSON) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return []byte(t), nil
}

// UnmarshalJSON reads any value. null is none.
func (t *JSON) UnmarshalJSON(raw []byte) (err error) {
	if *t = ""; string(raw) != "null" {
		*t, err = ParseJSON(raw)
	}
	return err
}
