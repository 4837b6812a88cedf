package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// File is an open safetensors file (github.com/huggingface/safetensors, README,
// section Format). Its methods may be called by several goroutines at once.
type File struct {
	path  string
	bytes *content
	data  int64 // where the data section starts
	infos []Info
	index map[string]int // into infos
	meta  map[string]string
}

// Open reads and checks the header of a safetensors file. For a damaged or hostile file it
// returns an error that names the file and the place. The memory it takes is bounded by the
// size of the file.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	opened, err := newFile(f, path)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return opened, nil
}

func newFile(f *os.File, path string) (*File, error) {
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file")
	}
	h, data, err := readHeader(f, stat.Size())
	if err != nil {
		return nil, err
	}
	file := &File{path: path, bytes: newContent(f, stat.Size()), data: data, infos: h.tensors, meta: h.meta, index: map[string]int{}}
	for i, t := range h.tensors {
		file.index[t.Name] = i
	}
	return file, nil
}

// readHeader reads the header of a file of the given size and returns where the data starts.
func readHeader(r io.ReaderAt, size int64) (h *header, data int64, err error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, 0, fmt.Errorf("%d bytes is too short for a safetensors file", size)
	}
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, 0, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return nil, 0, fmt.Errorf("header of %d bytes in a file of %d (at most %d): not a safetensors file, or cut short", n, size, maxHeader)
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, 8); err != nil {
		return nil, 0, err
	}
	data = 8 + int64(n)
	h, err = parseHeader(b, size-data)
	return h, data, err
}

// Names returns the names of the tensors in the order of their data.
func (f *File) Names() []string {
	names := make([]string, len(f.infos))
	for i, t := range f.infos {
		names[i] = t.Name
	}
	return names
}

// Info describes a tensor; false if the file has none of that name.
func (f *File) Info(name string) (Info, bool) {
	i, ok := f.index[name]
	if !ok {
		return Info{}, false
	}
	info := f.infos[i]
	info.Shape = slices.Clone(info.Shape)
	return info, true
}

// Metadata returns the free-form strings of the header.
func (f *File) Metadata() map[string]string { return maps.Clone(f.meta) }

// Read converts a tensor to float32. dst must have as many elements as the tensor. F32, BF16
// and F16 convert exactly, F64 is rounded. Other types are an error, and so is a file that has
// become shorter since Open. The bytes of the file do not stay in memory.
func (f *File) Read(name string, dst []float32) error {
	if info, ok := f.Info(name); ok && len(dst) != info.size {
		return fmt.Errorf("%s: tensor %q: shape %v has %d elements, want %d", f.path, name, info.Shape, info.size, len(dst))
	}
	return f.ReadPart(name, 0, dst)
}

// ReadPart is Read for the elements [from, from+len(dst)).
func (f *File) ReadPart(name string, from int, dst []float32) error {
	i, ok := f.index[name]
	if !ok {
		return fmt.Errorf("%s: no tensor %q", f.path, name)
	}
	if err := f.read(f.infos[i], from, dst); err != nil {
		return fmt.Errorf("%s: tensor %q: %w", f.path, name, err)
	}
	return nil
}

// readPiece is how many elements a processor converts at a time.
const readPiece = 1 << 19

func (f *File) read(info Info, from int, dst []float32) error {
	t := dtypes[info.DType]
	if t.decode == nil {
		return fmt.Errorf("is %s, want F32, F16, BF16 or F64", info.DType)
	}
	if from < 0 || len(dst) > info.size-from {
		return fmt.Errorf("has %d elements, want %d from %d on", info.size, len(dst), from)
	}
	width := t.bits / 8
	start := f.data + info.start + int64(from)*int64(width)
	err := inPieces(len(dst), readPiece, func(lo, hi int) error {
		at := start + int64(lo)*int64(width)
		err := f.bytes.visit(at, (hi-lo)*width, func(src []byte) { t.decode(dst[lo:hi], src) })
		if err != nil {
			err = fmt.Errorf("byte %d: %w", at, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	return f.bytes.check()
}

// noEOF turns the end of a file into an unexpected end, because the data should go on.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close closes the file. Tensors that Read has copied stay valid.
func (f *File) Close() error { return f.bytes.close() }
