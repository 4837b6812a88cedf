package disk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxJSON is the largest manifest or training state that ReadJSON accepts, in bytes.
const MaxJSON = 16 << 20

// ReadJSON reads the one JSON value of a file into v. Unknown keys are an error.
func ReadJSON(path string, v any) error {
	b, err := ReadLimited(path, MaxJSON)
	if err != nil {
		return err
	}
	if line, err := DecodeJSON(b, v); err != nil {
		return fmt.Errorf("%s:%d: %w", path, line, err)
	}
	return nil
}

// DecodeJSON is ReadJSON for bytes. It returns the line, from 1, where the error is.
func DecodeJSON(b []byte, v any) (line int, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err = d.Decode(v)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = atEnd(d)
	}
	return lineOf(b, err, d.InputOffset()), err
}

func atEnd(d *json.Decoder) error {
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// lineOf returns the line of b, from 1, where a decoding error is.
func lineOf(b []byte, err error, offset int64) int {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = kind.Offset
	}
	return 1 + bytes.Count(b[:min(offset, int64(len(b)))], []byte("\n"))
}

// ReadLimited reads a file of at most limit bytes. A longer file is an error.
func ReadLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("longer than %d bytes", limit)}
	}
	return b, err
}

// WriteJSON replaces the file at path by v as JSON, indented for people and for diff.
func WriteJSON(path string, v any) error {
	return WriteFile(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	})
}
