package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// maxHeader limits the bytes of metadata and directory. The largest vocabularies in use take
// about 10 MB.
const maxHeader = 256 << 20

// scanner reads the little-endian values of a header. It keeps the first error and returns zeros
// after it.
type scanner struct {
	r    *bufio.Reader
	at   int64 // bytes read
	left int64 // bytes that may still be read
	buf  [8]byte
	err  error
}

func newScanner(r io.ReaderAt, size int64) *scanner {
	left := min(size, maxHeader)
	return &scanner{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, left), 64<<10), left: left}
}

func (s *scanner) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("byte %d: "+format, append([]any{s.at}, args...)...)
	}
}

// read fills b.
func (s *scanner) read(b []byte) {
	if s.err == nil && int64(len(b)) > s.left {
		s.fail("the file ends within its header (of at most %d MB)", maxHeader>>20)
	}
	if s.err != nil {
		clear(b)
		return
	}
	n, err := io.ReadFull(s.r, b)
	s.at, s.left = s.at+int64(n), s.left-int64(n)
	if err != nil {
		s.fail("%w", noEOF(err))
	}
}

// count checks that n items of at least size bytes each can still follow. So no number in a file
// makes herd allocate more than the file has bytes for.
func (s *scanner) count(n uint64, size int64, what string) int {
	if s.err == nil && n > uint64(s.left/size) {
		s.fail("%d %s, but only %d bytes follow: damaged, or cut short", n, what, s.left)
	}
	if s.err != nil {
		return 0
	}
	return int(n)
}

func (s *scanner) uint8() uint8 {
	s.read(s.buf[:1])
	return s.buf[0]
}

func (s *scanner) uint16() uint16 {
	s.read(s.buf[:2])
	return binary.LittleEndian.Uint16(s.buf[:])
}

func (s *scanner) uint32() uint32 {
	s.read(s.buf[:4])
	return binary.LittleEndian.Uint32(s.buf[:])
}

func (s *scanner) uint64() uint64 {
	s.read(s.buf[:8])
	return binary.LittleEndian.Uint64(s.buf[:])
}

func (s *scanner) int8() int8       { return int8(s.uint8()) }
func (s *scanner) int16() int16     { return int16(s.uint16()) }
func (s *scanner) int32() int32     { return int32(s.uint32()) }
func (s *scanner) int64() int64     { return int64(s.uint64()) }
func (s *scanner) float32() float32 { return math.Float32frombits(s.uint32()) }
func (s *scanner) float64() float64 { return math.Float64frombits(s.uint64()) }

func (s *scanner) bool() bool {
	b := s.uint8()
	if b > 1 {
		s.fail("a truth value is %d, want 0 or 1", b)
	}
	return b == 1
}

func (s *scanner) string() string {
	b := make([]byte, s.count(s.uint64(), 1, "bytes of text"))
	s.read(b)
	return string(b)
}
