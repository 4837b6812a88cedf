package gemm

import (
	"math"
	"math/rand/v2"
	"slices"
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

// TestBoundsInt8: what reads panels of int8 touches nothing beside them, nor beside the
// words that it makes, whatever the depth; and both ways of reading agree, bit for bit.
func TestBoundsInt8(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		if f != Int8 {
			return
		}
		p, rng := pathFor(f), rand.New(rand.NewPCG(19, 20))
		for depth := 1; depth < 3*Int8Block; depth++ {
			for _, end := range []bool{false, true} {
				guarded := func(n int) []float32 {
					x, free, err := guard.Floats(n, end)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(free)
					return x
				}
				panel, words := guarded(p.panelSize(depth)), guarded(p.wordsOf(depth)*p.nr)
				p.quantise(panel, operand(rng, p.nr, depth, false), 0, p.nr, 0, depth)
				p.widen(words, panel, depth)
				if p.int8Rows == 0 {
					continue
				}
				rows, wide := 1+depth%p.int8Rows, p.wordsOf(depth)
				a, c, want := guarded(rows*wide), guarded(rows*p.nr), make([]float32, rows*p.nr)
				for i := range a { // a number as a float32, and as two bfloat16s
					high := math.Float32bits(float32(rng.NormFloat64())) &^ 0xffff
					a[i] = math.Float32frombits(high | high>>16)
				}
				p.directInt8(depth, rows, a, wide, panel, c, nil, p.nr)
				p.direct(1, wide, rows, p.nr, a, wide, words, want, nil, p.nr)
				if !slices.Equal(c, want) {
					t.Fatalf("depth %d, %d rows: a tile gives another product than with what was widened", depth, rows)
				}
			}
		}
	})
}
