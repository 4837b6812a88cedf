package gguf

import (
	"errors"
	"fmt"
	"slices"
)

// Metadata holds the keys of a file in their order. A value has one of the types uint8, int8,
// uint16, int16, uint32, int32, uint64, int64, float32, float64, bool and string, or is a slice
// of one of them.
type Metadata struct {
	keys   []string
	values map[string]any
}

// ErrAbsent is the error of the getters for a missing key.
var ErrAbsent = errors.New("is missing")

// Set adds a key, or replaces its value.
func (m *Metadata) Set(key string, value any) {
	if m.values == nil {
		m.values = map[string]any{}
	}
	if _, ok := m.values[key]; !ok {
		m.keys = append(m.keys, key)
	}
	m.values[key] = value
}

// Keys returns the keys in their order.
func (m *Metadata) Keys() []string { return slices.Clone(m.keys) }

// Value returns the value of a key; false if there is none.
func (m *Metadata) Value(key string) (any, bool) {
	v, ok := m.values[key]
	return v, ok
}

// Int returns an integer of any width.
func (m *Metadata) Int(key string) (int, error) {
	switch v := m.values[key].(type) {
	case uint8:
		return int(v), nil
	case int8:
		return int(v), nil
	case uint16:
		return int(v), nil
	case int16:
		return int(v), nil
	case uint32:
		return int(v), nil
	case int32:
		return int(v), nil
	case uint64:
		if v <= maxInt {
			return int(v), nil
		}
	case int64:
		return int(v), nil
	}
	return 0, m.mismatch(key, "an integer")
}

const maxInt = uint64(^uint(0) >> 1)

// Float returns a number with a fraction.
func (m *Metadata) Float(key string) (float64, error) {
	switch v := m.values[key].(type) {
	case float32:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, m.mismatch(key, "a number")
}

// Get returns the value of a key if it is a T, such as string or []string.
func Get[T any](m *Metadata, key string) (T, error) {
	v, ok := m.values[key].(T)
	if !ok {
		return v, m.mismatch(key, fmt.Sprintf("%T", v))
	}
	return v, nil
}

// mismatch is the error for a value that is missing or of another type.
func (m *Metadata) mismatch(key, want string) error {
	v, ok := m.values[key]
	if !ok {
		return fmt.Errorf("%s %w", key, ErrAbsent)
	}
	return fmt.Errorf("%s is of type %T, want %s", key, v, want)
}
