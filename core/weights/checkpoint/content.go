package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// content is the bytes of a file: mapped into memory where the system can do that,
// else read.
type content struct {
	f      *os.File
	size   int64
	mapped []byte // all of the file, or nil
}

// newContent takes over f, of the given size.
func newContent(f *os.File, size int64) *content {
	c := &content{f: f, size: size}
	if size > 0 && size <= int64(maxInt) {
		c.mapped, _ = mapFile(f, int(size)) // else it is read
	}
	return c
}

// visit calls use with n bytes from at on, which must be within the file, and keeps
// none of them in memory. The bytes are use's only until it returns.
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

// noFault calls f. If the memory that f reads is no longer there, because the file
// behind it became shorter or its disk fails, that is an error.
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
		err = fmt.Errorf("cannot be read, or became shorter: %w", io.ErrUnexpectedEOF)
	}()
	f()
	return nil
}

// check reports that the file has become shorter since it was opened. What was read
// of a page that lost its end is zeros, so that this is asked afterwards.
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
