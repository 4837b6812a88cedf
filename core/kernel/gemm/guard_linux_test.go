package gemm

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns n floats that begin after, or end before, a page whose touch
// is a fault.
func guarded(t *testing.T, n int, end bool) []float32 {
	page := syscall.Getpagesize()
	size := (4*n + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	for _, guard := range [][]byte{b[:page], b[page+size:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	inside := b[page:]
	if end {
		inside = b[page+size-4*n:]
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&inside[0])), n)
}

// TestBounds: the assembly touches nothing outside the matrices, at either end.
func TestBounds(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 10))
		move := func(o Operand, end bool) Operand {
			data := guarded(t, len(o.Data), end)
			copy(data, o.Data)
			return Operand{data, o.Stride, o.Columns}
		}
		for _, s := range shapes {
			if s.m*s.n*s.depth == 0 {
				continue
			}
			forms(func(ac, bc, end bool) {
				a := move(operand(rng, s.m, s.depth, ac), end)
				b := move(operand(rng, s.n, s.depth, bc), end)
				c := guarded(t, s.m*s.n, end)
				Multiply(c, s.n, a, b, s.m, s.n, s.depth, false)
				if err := check(c, nil, s.n, a, b, s.m, s.n, s.depth, false); err != nil {
					t.Error(fmt.Errorf("%v: %w", s, err))
				}
			})
		}
	})
}
