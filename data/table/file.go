package table

import (
	"errors"
	"fmt"
	"os"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// file is an open Arrow file with a valid footer and schema.
type file struct {
	*os.File
	arrow  *ipc.FileReader
	blocks []block
	header Header
	memory bounded
}

func openFile(path string) (*file, error) {
	osFile, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &file{File: osFile}
	if err := f.guard(f.readFooter); err != nil {
		return nil, errors.Join(err, osFile.Close())
	}
	return f, nil
}

func (f *file) readFooter() error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if f.blocks, err = readFooter(f, info.Size()); err != nil {
		return err
	}
	f.memory = boundedBy(info.Size())
	if f.arrow, err = ipc.NewFileReader(f, ipc.WithAllocator(f.memory)); err != nil {
		return err
	}
	f.header, err = readHeader(f.arrow.Schema())
	return err
}

// guard calls read, which reads the file, and adds the file's name to its error. Arrow's reader
// panics on many kinds of damage; guard turns the panic into an error.
func (f *file) guard(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: damaged Arrow file: %v", f.Name(), p)
		}
	}()
	if err := read(); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

// bounded is an allocator that panics on sizes that no valid file needs: a damaged length must
// not use up all memory.
type bounded struct {
	*memory.GoAllocator
	limit int
}

// boundedBy allows for a compression ratio of 256, which LZ4 cannot exceed.
func boundedBy(fileSize int64) bounded {
	return bounded{memory.NewGoAllocator(), int(min(fileSize, 1<<40))*256 + 1<<16}
}

func (b bounded) Allocate(size int) []byte {
	b.verify(size)
	return b.GoAllocator.Allocate(size)
}

func (b bounded) Reallocate(size int, old []byte) []byte {
	b.verify(size)
	return b.GoAllocator.Reallocate(size, old)
}

func (b bounded) verify(size int) {
	if size < 0 || size > b.limit {
		panic(fmt.Sprintf("a buffer of %d bytes", size))
	}
}
