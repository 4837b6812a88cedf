//go:build linux || darwin || freebsd

package checkpoint

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile returns the first size bytes of f as read-only memory.
func mapFile(f *os.File, size int) ([]byte, error) {
	b, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err == nil {
		_ = unix.Madvise(b, unix.MADV_SEQUENTIAL) // only advice: an error does not matter
	}
	return b, err
}

func unmap(b []byte) error { return unix.Munmap(b) }

// forget drops the pages of n mapped bytes at offset at from the process. Otherwise the data
// would be in memory twice: here and where it was copied to.
func forget(mapped []byte, at, n int) {
	page := os.Getpagesize()
	start, end := at/page*page, min(len(mapped), (at+n+page-1)/page*page)
	_ = unix.Madvise(mapped[start:end], unix.MADV_DONTNEED) // only advice: an error does not matter
}
