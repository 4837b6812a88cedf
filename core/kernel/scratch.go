package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/token"
)

// A buffer is memory for one kernel call. Kernels borrow it, so that a step allocates nothing
// after the first.
type buffer struct {
	floats  []float32 // sized by borrow; the others grow as needed
	doubles []float64
	rows    []int32
	ids     []token.ID
	panels  [2]gemm.Panels

	tile     tile
	tileGrad tileGrad
	cluster  cluster
}

var buffers memory.Pool[buffer]

// borrow returns a buffer with n floats of arbitrary value.
func borrow(n int) *buffer {
	b := buffers.Get()
	b.floats = resized(b.floats, n)
	return b
}

func (b *buffer) giveBack() { buffers.Put(b) }

// Release frees the memory that kernels keep for later calls, and what it refers to.
func Release() {
	buffers.Forget()
	sharedProducts.Forget()
	attentions.Forget()
	gemm.Release()
}

// ScratchBytes returns about the most memory that kernels keep if the largest matrix that
// products pack has factor elements.
func ScratchBytes(factor int) int64 {
	const tile = 256 << 10 // of attention
	threads := Threads()
	if threads == 1 {
		return gemm.ScratchBytes(factor) + tile
	}
	return int64(threads)*(gemm.ScratchBytes(worthForking)+tile) + 4*int64(min(factor, panelWords))
}

// cut removes the first n elements from rest and returns them.
func cut(rest *[]float32, n int) []float32 {
	part := (*rest)[:n:n]
	*rest = (*rest)[n:]
	return part
}

// resized returns a slice of n elements: s itself if it is large enough.
func resized[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]T, n)
}
