package gguf

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
)

const (
	version          = 3
	maxDims          = 4 // GGML_MAX_DIMS
	alignmentKey     = "general.alignment"
	defaultAlignment = 32
)

// header is all of a file except the data.
type header struct {
	meta  *Metadata
	infos []Info
	data  int64 // where the data section starts
}

// parseHeader reads the header of a file of the given size. It allocates a small multiple of the
// size of the header.
func parseHeader(r io.ReaderAt, size int64) (*header, error) {
	s := newScanner(r, size)
	if err := s.preamble(); err != nil {
		return nil, err
	}
	tensors := s.count(s.uint64(), minInfo, "tensors")
	h := &header{meta: s.metadata(s.count(s.uint64(), minEntry, "keys"))}
	for range tensors {
		h.infos = append(h.infos, s.info())
	}
	if s.err != nil {
		return nil, s.err
	}
	alignment, err := h.meta.alignment()
	if err != nil {
		return nil, err
	}
	h.data = align(s.at, alignment)
	return h, h.checkLayout(size-h.data, alignment)
}

// preamble checks the magic and the version.
func (s *scanner) preamble() error {
	var magic [len(Magic)]byte
	s.read(magic[:])
	if s.err != nil || string(magic[:]) != Magic {
		return fmt.Errorf("not a GGUF file: it does not begin with %q", Magic)
	}
	v := s.uint32()
	switch {
	case s.err != nil:
		return s.err
	case v&0xffff == 0:
		return errors.New("a big-endian GGUF file: herd reads only little-endian ones")
	case v < 2 || v > version:
		return fmt.Errorf("GGUF version %d, want 2 or %d", v, version)
	}
	return nil
}

// The smallest sizes of an entry of the metadata and of the directory.
const (
	minEntry = 8 + 4 + 1
	minInfo  = 8 + 4 + 4 + 8
)

func (s *scanner) metadata(n int) *Metadata {
	m := &Metadata{}
	for range n {
		key := s.string()
		if _, twice := m.values[key]; twice {
			s.fail("key %q appears twice", key)
		}
		value := s.value()
		if s.err != nil {
			return m
		}
		m.Set(key, value)
	}
	return m
}

func (s *scanner) info() Info {
	i := Info{Name: s.string()}
	dims := s.uint32()
	if dims > maxDims {
		s.fail("tensor %q has %d dimensions, at most %d are allowed", i.Name, dims, maxDims)
		return i
	}
	n := uint64(1)
	for range dims {
		d := s.uint64()
		over, product := bits.Mul64(n, d)
		if over != 0 || product > math.MaxInt64/8 || product > maxInt/8 || product == 0 {
			s.fail("tensor %q has a dimension of %d: too many elements, or none", i.Name, d)
			return i
		}
		n = product
		i.Shape = append(i.Shape, int(d))
	}
	slices.Reverse(i.Shape)
	i.Type = Type(s.uint32())
	offset := s.uint64()
	if offset > math.MaxInt64/2 {
		s.fail("tensor %q is at byte %d of the data", i.Name, offset)
	}
	i.offset = int64(offset)
	return i
}

func (m *Metadata) alignment() (int64, error) {
	n, err := m.Int(alignmentKey)
	switch {
	case errors.Is(err, ErrAbsent):
		return defaultAlignment, nil
	case err == nil && (n < 1 || n > maxHeader || n&(n-1) != 0):
		err = fmt.Errorf("%s is %d, want a power of two", alignmentKey, n)
	}
	return int64(n), err
}

// align returns the next multiple of alignment, a power of two.
func align(n, alignment int64) int64 { return (n + alignment - 1) &^ (alignment - 1) }

// checkLayout checks that the tensors have different names, whole blocks of a known type, and
// places within the data that do not overlap.
func (h *header) checkLayout(data, alignment int64) error {
	names := make(map[string]bool, len(h.infos))
	for _, i := range h.infos {
		if names[i.Name] {
			return fmt.Errorf("tensor %q appears twice", i.Name)
		}
		names[i.Name] = true
		if err := i.check(); err != nil {
			return fmt.Errorf("tensor %q: %w", i.Name, err)
		}
	}
	byPlace := slices.Clone(h.infos)
	slices.SortStableFunc(byPlace, func(a, b Info) int { return cmp.Compare(a.offset, b.offset) })
	end := int64(0)
	for _, i := range byPlace {
		switch {
		case i.offset < end || i.offset%alignment != 0:
			return fmt.Errorf("tensor %q is at byte %d of the data: it overlaps another, or is not aligned to %d", i.Name, i.offset, alignment)
		case i.Bytes() > data-i.offset:
			return fmt.Errorf("tensor %q ends at byte %d of the data, but there are %d: cut short or damaged, download it again", i.Name, i.offset+i.Bytes(), max(data, 0))
		}
		end = i.offset + i.Bytes()
	}
	return nil
}

// check checks that the rows of a tensor are whole blocks of a type that herd reads.
func (i Info) check() error {
	format, ok := formats[i.Type]
	switch {
	case !ok:
		return fmt.Errorf("is of type %v, which is not supported: want one of %s", i.Type, typeNames())
	case i.row()%format.block != 0:
		return fmt.Errorf("rows of %d elements are no multiple of the %d elements of a block of %v", i.row(), format.block, i.Type)
	}
	return nil
}

// row returns the length of a row: blocks do not cross rows.
func (i Info) row() int {
	if len(i.Shape) == 0 {
		return 1
	}
	return i.Shape[len(i.Shape)-1]
}
