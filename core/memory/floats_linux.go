package memory

import (
	"syscall"
	"unsafe"
)

const hugePage = 2 << 20

// adviseHuge asks for huge pages for the whole ones within x. Whether they are
// granted changes no result, so that an error is none.
func adviseHuge(x []float32) {
	base := unsafe.Pointer(unsafe.SliceData(x))
	skip := -uintptr(base) & (hugePage - 1)
	if size := 4 * uintptr(len(x)); size > skip+hugePage {
		whole := (size - skip) &^ (hugePage - 1)
		_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(base, skip)), whole), syscall.MADV_HUGEPAGE)
	}
}
