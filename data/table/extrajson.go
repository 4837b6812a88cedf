package table

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// MarshalJSON writes an object of the columns, in order. Types that JSON lacks become strings
// (timestamps, decimals, binary data in base64). A floating-point number always has a decimal
// point or an exponent, so that UnmarshalJSON can distinguish it from an integer. NaN and
// infinities are an error.
func (x Extra) MarshalJSON() ([]byte, error) {
	row := make(members, len(x.cells))
	for i, c := range x.cells {
		row[i] = member{c.column.Name, c.goValue()}
	}
	return appendJSON(nil, row)
}

func appendJSON(to []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case members:
		return appendMembers(to, v)
	case []any:
		to = append(to, '[')
		for i, e := range v {
			if i > 0 {
				to = append(to, ',')
			}
			var err error
			if to, err = appendJSON(to, e); err != nil {
				return nil, err
			}
		}
		return append(to, ']'), nil
	case float64:
		return appendFloat(to, v)
	}
	text, err := marshalPlain(v)
	return append(to, text...), err
}

func appendMembers(to []byte, m members) ([]byte, error) {
	to = append(to, '{')
	for i, f := range m {
		if i > 0 {
			to = append(to, ',')
		}
		name, err := marshalPlain(f.name)
		if err != nil {
			return nil, err
		}
		if to, err = appendJSON(append(append(to, name...), ':'), f.value); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(to, '}'), nil
}

func appendFloat(to []byte, x float64) ([]byte, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, fmt.Errorf("is %v, which JSON cannot hold: drop the column or replace the value by null", x)
	}
	text := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return append(to, text...), nil
}

// marshalPlain writes a value without escaping <, > and &.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// UnmarshalJSON reads an object into columns of strings, booleans, int64, float64 (numbers with
// a decimal point or an exponent), and lists and structs of these. Where a value is null, other
// rows decide the column's type.
func (x *Extra) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := parseValue(dec)
	if err != nil {
		return fmt.Errorf("extra: %w", err)
	}
	row, ok := v.(members)
	if !ok {
		return errors.New("extra: expected an object of columns")
	}
	*x = Extra{}
	for _, f := range row {
		typ, err := typeOf(f.value)
		if err != nil {
			return fmt.Errorf("extra: %s: %w", f.name, err)
		}
		x.cells = append(x.cells, cell{&extraColumn{Field: arrow.Field{Name: f.name, Type: typ, Nullable: true}}, 0, f.value})
	}
	return nil
}

// parseValue reads the next value and keeps the order of object keys.
func parseValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Number:
		return parseNumber(t)
	case json.Delim:
		if t == '{' {
			return parseMembers(dec)
		}
		return parseList(dec)
	}
	return token, nil
}

func parseNumber(n json.Number) (any, error) {
	if strings.ContainsAny(string(n), ".eE") {
		return n.Float64()
	}
	if i, err := n.Int64(); err == nil {
		return i, nil
	}
	u, err := strconv.ParseUint(string(n), 10, 64)
	return u, err
}

func parseMembers(dec *json.Decoder) (any, error) {
	m := members{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := key.(string)
		if m.has(name) {
			return nil, fmt.Errorf("key %s appears twice", name)
		}
		v, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		m = append(m, member{name, v})
	}
	return m, closeOf(dec)
}

func parseList(dec *json.Decoder) (any, error) {
	list := []any{}
	for dec.More() {
		v, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, closeOf(dec)
}

// closeOf reads the closing bracket of a list or an object.
func closeOf(dec *json.Decoder) error {
	_, err := dec.Token()
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
