// Package guard gives tests memory next to pages that must not be touched, so that assembly
// that reads or writes beyond a slice faults. Call Floats.
package guard

import (
	"fmt"
	"syscall"
	"unsafe"
)

// Floats returns n floats next to a protected page, which follows them if end is set and
// precedes them otherwise. free releases the memory.
func Floats(n int, end bool) (x []float32, free func(), err error) {
	page := syscall.Getpagesize()
	size := (4*n + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("guarded memory: %w", err)
	}
	for _, edge := range [][]byte{b[:page], b[page+size:]} {
		if err := syscall.Mprotect(edge, syscall.PROT_NONE); err != nil {
			return nil, nil, fmt.Errorf("guarded memory: %w", err)
		}
	}
	at := page
	if end {
		at += size - 4*n
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b[at:]))), n), func() { syscall.Munmap(b) }, nil
}
