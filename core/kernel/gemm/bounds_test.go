package gemm

import (
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/kernel/guard"
)

// TestBounds: the assembly touches nothing outside the matrices, at either end.
func TestBounds(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		rng := rand.New(rand.NewPCG(9, 10))
		for _, s := range shapes {
			forms(func(ac, bc bool, add adding) {
				var frees []func()
				guarded := func(x []float32) []float32 {
					y, free, err := guard.Floats(len(x), add != nothing)
					if err != nil {
						t.Fatal(err)
					}
					frees = append(frees, free)
					copy(y, x)
					return y
				}
				p := newProduct(rng, f, s.m, s.n, s.depth, ac, bc, add)
				p.Stride = s.n
				p.A.Data, p.B.Data = guarded(p.A.Data), guarded(p.B.Data)
				p.C = guarded(make([]float32, s.m*s.n))
				if add == accumulate {
					p.Add = p.C
				}
				if err := p.run(); err != nil {
					t.Error(err)
				}
				for _, free := range frees {
					free()
				}
			})
		}
	})
}
