package convert

import (
	"errors"
	"strconv"

	"github.com/herd-lm/herd/core/weights/gguf"
)

// fields reads the metadata of a GGUF file and keeps the first error.
type fields struct {
	*gguf.Metadata
	prefix string // of the keys that belong to the architecture
	err    error
}

// field returns the value of a key, or missing if there is no such key.
func field[T any](f *fields, key string, get func(string) (T, error), missing T) T {
	v, err := get(key)
	switch {
	case errors.Is(err, gguf.ErrAbsent):
		return missing
	case err != nil && f.err == nil:
		f.err = err
	}
	return v
}

// count returns an integer that the architecture requires.
func (f *fields) count(name string) int {
	n, err := f.Int(f.prefix + name)
	if err != nil && f.err == nil {
		f.err = err
	}
	return n
}

// countOr returns an integer of the architecture, or missing if the file does not have it.
func (f *fields) countOr(name string, missing int) int {
	return field(f, f.prefix+name, f.Int, missing)
}

// numberOr is countOr for floating-point numbers.
func (f *fields) numberOr(name string, missing float64) float64 {
	return field(f, f.prefix+name, f.number, missing)
}

// get is field for strings, booleans and lists.
func get[T any](f *fields, key string, missing T) T {
	return field(f, key, func(key string) (T, error) { return gguf.Get[T](f.Metadata, key) }, missing)
}

// number returns the shortest decimal of a float32: 1e-05 for the float32 nearest to it.
func (f *fields) number(key string) (float64, error) {
	x, err := f.Float(key)
	if short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', -1, 32), 64); err == nil && float64(float32(x)) == x {
		x = short
	}
	return x, err
}
