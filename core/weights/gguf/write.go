package gguf

import (
	"fmt"
	"io"
)

// Write writes a GGUF file: the metadata, the directory and the data. It calls data for each
// tensor in order, which must write Info.Bytes bytes.
func Write(w io.Writer, m *Metadata, tensors []Info, data func(Info, io.Writer) error) error {
	alignment, err := m.alignment()
	if err != nil {
		return err
	}
	c := &counter{w: w}
	if err := writeHeader(c, m, tensors, alignment); err != nil {
		return err
	}
	for _, t := range tensors {
		if err := c.pad(alignment); err != nil {
			return err
		}
		start := c.n
		if err := data(t, c); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		if c.n-start != t.Bytes() {
			return fmt.Errorf("tensor %q: %d bytes written, want %d", t.Name, c.n-start, t.Bytes())
		}
	}
	return c.pad(alignment)
}

func writeHeader(w *counter, m *Metadata, tensors []Info, alignment int64) error {
	if err := writeAll(w, []byte(Magic), uint32(version), uint64(len(tensors)), uint64(len(m.keys))); err != nil {
		return err
	}
	for _, key := range m.keys {
		if err := writeOne(w, key); err != nil {
			return err
		}
		if err := writeValue(w, m.values[key]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	offset := int64(0)
	for _, t := range tensors {
		if err := writeInfo(w, t, offset); err != nil {
			return err
		}
		offset = align(offset+t.Bytes(), alignment)
	}
	return nil
}

func writeInfo(w io.Writer, t Info, offset int64) error {
	if err := t.check(); err != nil {
		return fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	dims := make([]uint64, len(t.Shape))
	for i, d := range t.Shape {
		dims[len(dims)-1-i] = uint64(d)
	}
	return writeAll(w, t.Name, uint32(len(dims)), dims, uint32(t.Type), uint64(offset))
}

// counter counts the bytes written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// pad writes zeros up to a multiple of alignment.
func (c *counter) pad(alignment int64) error {
	_, err := c.Write(make([]byte, align(c.n, alignment)-c.n))
	return err
}
