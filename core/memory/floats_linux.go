package memory

import (
	"syscall"
	"unsafe"
)

const hugePage = 2 << 20

// adviseHuge asks for huge pages for the part of x that covers whole ones. They change no
// result, so it ignores errors.
func adviseHuge(x []float32) {
	base := unsafe.Pointer(unsafe.SliceData(x))
	skip := -uintptr(base) & (hugePage - 1)
	if size := 4 * uintptr(len(x)); size > skip+hugePage {
		whole := (size - skip) &^ (hugePage - 1)
		_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(base, skip)), whole), syscall.MADV_HUGEPAGE)
	}
}
