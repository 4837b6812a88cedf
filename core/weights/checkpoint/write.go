package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/herd-lm/herd/core/disk"
)

// Source is a tensor to write. The writer calls Read when it needs the elements.
type Source struct {
	Name  string
	Shape []int
	DType string                              // F32, F16 or BF16
	Read  func(dst []float32, from int) error // elements [from, from+len(dst))
}

// As returns a Source that writes the tensor as dtype.
func (t Tensor) As(dtype string) Source {
	return Source{t.Name, t.Shape, dtype, func(dst []float32, from int) error {
		if n, err := elements(t.Shape); err != nil || n != len(t.Data) {
			return cmp.Or(err, fmt.Errorf("shape %v has %d elements, the data %d", t.Shape, n, len(t.Data)))
		}
		copy(dst, t.Data[from:])
		return nil
	}}
}

// Write writes tensors to a safetensors file as F32, in their order. The file appears under its
// name only when it is complete and synced. transformers requires "format": "pt" in meta.
func Write(path string, tensors []Tensor, meta map[string]string) error {
	sources := make([]Source, len(tensors))
	for i, t := range tensors {
		sources[i] = t.As(F32)
	}
	return WriteSources(path, sources, meta)
}

// WriteSources is Write for tensors of any type. It rounds to the nearest number of the type,
// ties to even. A number that is too large for the type is an error.
func WriteSources(path string, tensors []Source, meta map[string]string) error {
	h, err := encodeHeader(tensors, meta)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return disk.WriteFile(path, func(w io.Writer) error { return encode(w, h, tensors) })
}

func encode(w io.Writer, header []byte, tensors []Source) error {
	if _, err := w.Write(header); err != nil {
		return err
	}
	e := newEncoder(w)
	for _, t := range tensors {
		if err := e.tensor(t); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// encodeHeader returns the length, the JSON header and the spaces that align the data to 8 bytes.
func encodeHeader(tensors []Source, meta map[string]string) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 8))
	b.WriteByte('{')
	if err := errors.Join(encodeMeta(b, meta), encodeTensors(b, tensors)); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	n := b.Len() - 8
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, but the format allows %d: use fewer tensors or less metadata", n, maxHeader)
	}
	binary.LittleEndian.PutUint64(b.Bytes(), uint64(n))
	return b.Bytes(), nil
}

func encodeTensors(b *bytes.Buffer, tensors []Source) error {
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	end := int64(0)
	seen := map[string]bool{metadataKey: true}
	for i, t := range tensors {
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("tensor %d: name %q is empty, reserved or taken", i, t.Name)
		}
		seen[t.Name] = true
		if err := t.check(); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		start := end
		end += t.bytes()
		shape := append([]int{}, t.Shape...) // a scalar's is [], not null
		if err := encodeMember(b, t.Name, entry{t.DType, shape, [2]int64{start, end}}); err != nil {
			return err
		}
	}
	return nil
}

func (t Source) check() error {
	if !utf8.ValidString(t.Name) {
		return errors.New("name is not UTF-8")
	}
	if dtypes[t.DType].encode == nil {
		return fmt.Errorf("cannot be written as %q, want %s, %s or %s", t.DType, F32, F16, BF16)
	}
	_, err := elements(t.Shape)
	return err
}

func encodeMeta(b *bytes.Buffer, meta map[string]string) error {
	if meta == nil {
		return nil
	}
	for k, v := range meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("metadata %q: %q is not UTF-8", k, v)
		}
	}
	return encodeMember(b, metadataKey, meta)
}

// encodeMember appends a key and its value to the unfinished object in b.
func encodeMember(b *bytes.Buffer, key string, value any) error {
	k, err := json.Marshal(key)
	if err != nil {
		return err
	}
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if b.Bytes()[b.Len()-1] != '{' {
		b.WriteByte(',')
	}
	b.Write(k)
	b.WriteByte(':')
	b.Write(v)
	return nil
}
