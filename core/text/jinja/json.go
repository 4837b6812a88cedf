package jinja

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// FromJSON reads a value. It marks strings, including keys, with origin.
func FromJSON(text []byte, origin Origin) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := decode(d, origin)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return v, nil
		}
		err = fmt.Errorf("unexpected data after byte %d", d.InputOffset())
	}
	return nil, fmt.Errorf("read JSON: %w", err)
}

func decode(d *json.Decoder, origin Origin) (Value, error) {
	next, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch next := next.(type) {
	case json.Delim:
		if next == '[' {
			return decodeList(d, origin)
		}
		return decodeDict(d, origin)
	case string:
		return NewText(next, origin), nil
	case json.Number:
		if n, err := next.Int64(); err == nil {
			return n, nil
		}
		return next.Float64()
	}
	return next, nil
}

func decodeList(d *json.Decoder, origin Origin) (Value, error) {
	list := &List{}
	for d.More() {
		v, err := decode(d, origin)
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, v)
	}
	_, err := d.Token()
	return list, err
}

func decodeDict(d *json.Decoder, origin Origin) (Value, error) {
	dict := NewDict()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := decode(d, origin)
		if err != nil {
			return nil, err
		}
		dict.set(NewText(key.(string), origin), v)
	}
	_, err := d.Token()
	return dict, err
}
