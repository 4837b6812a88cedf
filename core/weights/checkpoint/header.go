package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"
)

const (
	maxHeader   = 100_000_000 // bytes, as in safetensors' own reader
	maxRank     = 32          // dimensions, as in NumPy before 2.0
	metadataKey = "__metadata__"
)

// header is the parsed header of a safetensors file.
type header struct {
	tensors []Info // in the order of the data
	meta    map[string]string
}

// parseHeader reads a header. Its tensors must fill a data section of the given length without
// gap or overlap. parseHeader allocates a small multiple of len(b).
func parseHeader(b []byte, data int64) (*header, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("header is not UTF-8")
	}
	if err := checkObject(b); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	h := &header{}
	d := json.NewDecoder(bytes.NewReader(b))
	err := object(d, func(key string) (err error) {
		if key == metadataKey {
			h.meta, err = stringMap(d)
			return err
		}
		info, err := tensorInfo(d, key)
		h.tensors = append(h.tensors, info)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return h, h.checkLayout(data)
}

// tensorInfo reads the header's entry for one tensor.
func tensorInfo(d *json.Decoder, name string) (Info, error) {
	if name == "" {
		return Info{}, errors.New("a tensor has no name")
	}
	var shape, offsets []uint64
	info := Info{Name: name}
	err := object(d, func(key string) error {
		switch key {
		case "dtype":
			return d.Decode(&info.DType)
		case "shape":
			return d.Decode(&shape)
		case "data_offsets":
			return d.Decode(&offsets)
		}
		return errors.New("unknown key, want dtype, shape and data_offsets")
	})
	if err != nil {
		return info, err
	}
	if shape == nil || len(offsets) != 2 {
		return info, errors.New("want a shape and two data_offsets")
	}
	if len(shape) > maxRank {
		return info, fmt.Errorf("%d dimensions, want at most %d", len(shape), maxRank)
	}
	return info, info.set(shape, offsets[0], offsets[1])
}

// set stores a shape and a byte range, which must agree with each other and with the data type.
func (i *Info) set(shape []uint64, start, end uint64) error {
	t, ok := dtypes[i.DType]
	if !ok {
		return fmt.Errorf("unknown dtype %q", i.DType)
	}
	n, over := uint64(1), uint64(0)
	for _, d := range append(shape, uint64(t.bits)) {
		if over, n = bits.Mul64(n, d); over != 0 || d > uint64(maxInt) {
			return fmt.Errorf("shape %v overflows", shape)
		}
	}
	if n%8 != 0 {
		return fmt.Errorf("%s of shape %v does not fill whole bytes", i.DType, shape)
	}
	if start > end || end > maxInt64 || end-start != n/8 {
		return fmt.Errorf("data_offsets [%d,%d] for %s of shape %v, which takes %d bytes", start, end, i.DType, shape, n/8)
	}
	i.start, i.end, i.size = int64(start), int64(end), int(n/uint64(t.bits))
	i.Shape = make([]int, len(shape))
	for k, d := range shape {
		i.Shape[k] = int(d)
	}
	return nil
}

const maxInt64 = 1<<63 - 1

// checkLayout sorts the tensors by place and checks that they fill the data section end to end.
func (h *header) checkLayout(data int64) error {
	slices.SortStableFunc(h.tensors, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	end := int64(0)
	for _, t := range h.tensors {
		if t.start != end {
			return fmt.Errorf("tensor %q starts at byte %d of the data, want %d: a gap or an overlap", t.Name, t.start, end)
		}
		end = t.end
	}
	if end != data {
		return fmt.Errorf("tensors take %d bytes of data, the file has %d: cut short or damaged, download it again", end, data)
	}
	return nil
}

// checkObject checks the syntax of a JSON object. Its error names the byte.
func checkObject(b []byte) error {
	var ignore struct{}
	err := json.Unmarshal(b, &ignore)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	}
	return err
}

// object reads a JSON object and calls member for every key, to read the value. A key that
// appears twice is an error, because programs differ on which value counts.
func object(d *json.Decoder, member func(key string) error) error {
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return cmp.Or(err, errors.New("want a JSON object"))
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key := t.(string) // the decoder accepts nothing else as a key
		if seen[key] {
			return fmt.Errorf("%q appears twice", key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	_, err := d.Token()
	return err
}

// stringMap reads a JSON object whose values are strings.
func stringMap(d *json.Decoder) (map[string]string, error) {
	m := map[string]string{}
	err := object(d, func(key string) error {
		t, err := d.Token()
		s, ok := t.(string)
		if err == nil && !ok {
			err = errors.New("want a string")
		}
		m[key] = s
		return err
	})
	return m, err
}
