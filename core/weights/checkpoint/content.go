package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// content gives access to the bytes of a file. It maps the file into memory where the system
// can, else it reads.
type content struct {
	f      *os.File
	size   int64
	mapped []byte // all of the file, or nil
}

// newContent returns the content of f, which has the given size. The content owns f.
func newContent(f *os.File, size int64) *content {
	c := &content{f: f, size: size}
	if size > 0 && size <= int64(maxInt) {
		c.mapped, _ = mapFile(f, int(size)) // on failure visit reads the file
	}
	return c
}

// visit calls use with the n bytes at offset at, which must be within the file. The bytes are
// valid until use returns and do not stay in memory.
func (c *content) visit(at int64, n int, use func([]byte)) error {
	if c.mapped == nil {
		b := make([]byte, n)
		if _, err := c.f.ReadAt(b, at); err != nil {
			return noEOF(err)
		}
		use(b)
		return nil
	}
	defer forget(c.mapped, int(at), n)
	return noFault(func() { use(c.mapped[at : at+int64(n)]) })
}

// noFault calls f. It returns an error if f reads mapped memory that is gone, because the file
// became shorter or its disk failed.
func noFault(f func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		failure := recover()
		if failure == nil {
			return
		}
		fault, ok := failure.(interface{ Addr() uintptr })
		if !ok || fault.Addr() == 0 {
			panic(failure)
		}
		err = fmt.Errorf("the file cannot be read or became shorter: %w", io.ErrUnexpectedEOF)
	}()
	f()
	return nil
}

// check returns an error if the file has become shorter since Open. Call it after reading: the
// lost end of a mapped page reads as zeros without a fault.
func (c *content) check() error {
	stat, err := c.f.Stat()
	if err == nil && stat.Size() < c.size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (c *content) close() error {
	var err error
	if c.mapped != nil {
		err = unmap(c.mapped)
		c.mapped = nil
	}
	return errors.Join(err, c.f.Close())
}
