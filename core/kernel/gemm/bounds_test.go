package gemm

import (
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/kernel/guard"
)

// TestBounds: the assembly touches nothing outside the matrices, at either end.
func TestBounds(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 10))
		for _, s := range shapes {
			forms(func(ac, bc, end bool) {
				var frees []func()
				guarded := func(x []float32) []float32 {
					y, free, err := guard.Floats(len(x), end)
					if err != nil {
						t.Fatal(err)
					}
					frees = append(frees, free)
					copy(y, x)
					return y
				}
				a, b := operand(rng, s.m, s.depth, ac), operand(rng, s.n, s.depth, bc)
				a.Data, b.Data = guarded(a.Data), guarded(b.Data)
				c := guarded(make([]float32, s.m*s.n))
				Multiply(c, s.n, a, b, s.m, s.n, s.depth, false)
				if err := check(c, nil, s.n, a, b, s.m, s.n, s.depth, false); err != nil {
					t.Errorf("%v: %v", s, err)
				}
				for _, free := range frees {
					free()
				}
			})
		}
	})
}
