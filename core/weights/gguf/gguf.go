package gguf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Magic is what a GGUF file begins with.
const Magic = "GGUF"

// Info is an entry in the tensor directory of a file.
type Info struct {
	Name  string
	Type  Type
	Shape []int // row-major, the longest stride first; the file stores the reverse

	offset int64 // of the data section
}

// Len returns the number of elements.
func (i Info) Len() int {
	n := 1
	for _, d := range i.Shape {
		n *= d
	}
	return n
}

// Bytes returns the size of the data in a file.
func (i Info) Bytes() int64 { return i.Type.Bytes(i.Len()) }

// File is an open GGUF file. Its methods may be called by several goroutines at
// once.
type File struct {
	Metadata *Metadata

	path  string
	f     *os.File
	data  int64 // where the data section starts
	infos []Info
	index map[string]int // into infos
}

// Open reads and checks metadata and directory of a GGUF file, version 2 or 3. For a damaged or
// hostile file it returns an error that names the file and the place. The memory it takes is
// bounded by the size of the file.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	file := &File{path: path, f: f, index: map[string]int{}}
	if err := file.readHeader(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return file, nil
}

func (f *File) readHeader() error {
	stat, err := f.f.Stat()
	if err != nil {
		return err
	}
	if !stat.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	h, err := parseHeader(f.f, stat.Size())
	if err != nil {
		return err
	}
	f.Metadata, f.infos, f.data = h.meta, h.infos, h.data
	for i, t := range h.infos {
		f.index[t.Name] = i
	}
	return nil
}

// Infos returns the directory in the order of the file.
func (f *File) Infos() []Info { return slices.Clone(f.infos) }

// Info returns the directory's entry for a tensor; false if it has none of that name.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	return f.infos[i], true
}

// readBytes is how many bytes are read at a time, at most.
const readBytes = 256 << 10

// Read converts a tensor to float32, as ggml's reference does. dst must have as many elements as
// the tensor.
func (f *File) Read(name string, dst []float32) error {
	info, ok := f.Info(name)
	switch {
	case !ok:
		return fmt.Errorf("%s: no tensor %q", f.path, name)
	case len(dst) != info.Len():
		return fmt.Errorf("%s: tensor %q of shape %v has %d elements, want %d", f.path, name, info.Shape, info.Len(), len(dst))
	}
	format := formats[info.Type]
	blocks := readBytes / format.bytes
	buf := make([]byte, min(info.Bytes(), int64(blocks*format.bytes)))
	for at := f.data + info.offset; len(dst) > 0; {
		n := min(len(dst), blocks*format.block)
		b := buf[:info.Type.Bytes(n)]
		if _, err := f.f.ReadAt(b, at); err != nil {
			return fmt.Errorf("%s: tensor %q: byte %d: %w", f.path, name, at, noEOF(err))
		}
		format.decode(dst[:n], b)
		dst, at = dst[n:], at+int64(len(b))
	}
	return nil
}

// noEOF turns the end of a file into an unexpected end, because the data should go on.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close closes the file. Tensors that Read has copied stay valid.
func (f *File) Close() error { return f.f.Close() }
