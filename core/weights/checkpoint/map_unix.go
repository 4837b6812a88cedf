//go:build linux || darwin || freebsd

package checkpoint

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile returns the first size bytes of f as memory that cannot be written.
func mapFile(f *os.File, size int) ([]byte, error) {
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err == nil {
		_ = unix.Madvise(b, unix.MADV_SEQUENTIAL) // it is a wish
	}
	return b, err
}

func unmap(b []byte) error { return unix.Munmap(b) }

// forget takes n bytes of a mapped file from at on, and the rest of their pages, out
// of the process: they are in memory twice else, here and where they were copied to.
func forget(mapped []byte, at, n int) {
	page := os.Getpagesize()
	start, end := at/page*page, min(len(mapped), (at+n+page-1)/page*page)
	_ = unix.Madvise(mapped[start:end], unix.MADV_DONTNEED) // it is a wish
}
