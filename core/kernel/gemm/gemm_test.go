package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/kernel/cpu"
)

// shapes have every kind of edge: single lines, odd counts, one more and one
// less than a tile, more than one block in each direction.
var shapes = []struct{ m, n, depth int }{
	{1, 1, 1}, {1, 7, 5}, {7, 1, 17}, {2, 4, 16}, {3, 5, 31}, {13, 33, 48}, {14, 32, 256}, {15, 31, 257},
	{16, 48, 300}, {29, 65, 513}, {350, 40, 20}, {5, 2100, 18}, {1, 96, 1030}, {4, 4, 0}, {0, 3, 2}, {3, 0, 2},
}

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// operand returns a random operand of lines x depth with gaps between its rows,
// as long as it must be and no longer.
func operand(rng *rand.Rand, lines, depth int, columns bool) Operand {
	if columns {
		stride := lines + 3
		return Columns(random(rng, max(0, (depth-1)*stride+lines)), stride)
	}
	stride := depth + 3
	return Rows(random(rng, max(0, (lines-1)*stride+depth)), stride)
}

func (o Operand) at(i, k int) float64 {
	if o.Columns {
		return float64(o.Data[k*o.Stride+i])
	}
	return float64(o.Data[i*o.Stride+k])
}

// check compares c[m,n] with the float64 product; the tolerance is that of a
// chain of depth float32 operations on terms of size 1.
func check(c, before []float32, stride int, a, b Operand, m, n, depth int, accumulate bool) error {
	for i := range m {
		for j := range n {
			want, size := 0.0, 1.0
			for k := range depth {
				want += a.at(i, k) * b.at(j, k)
				size += math.Abs(a.at(i, k) * b.at(j, k))
			}
			if accumulate {
				want += float64(before[i*stride+j])
			}
			if got := float64(c[i*stride+j]); !(math.Abs(got-want) <= 1e-6*size) {
				return fmt.Errorf("c[%d,%d] = %v, want %v", i, j, got, want)
			}
		}
	}
	return nil
}

func forms(f func(aColumns, bColumns, accumulate bool)) {
	for bits := range 8 {
		f(bits&1 != 0, bits&2 != 0, bits&4 != 0)
	}
}

func TestMultiply(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range shapes {
			forms(func(ac, bc, acc bool) {
				a, b := operand(rng, s.m, s.depth, ac), operand(rng, s.n, s.depth, bc)
				stride := s.n + 2
				c := random(rng, s.m*stride)
				before := append([]float32(nil), c...)
				Multiply(c, stride, a, b, s.m, s.n, s.depth, acc)
				if err := check(c, before, stride, a, b, s.m, s.n, s.depth, acc); err != nil {
					t.Errorf("%v a.Columns=%v b.Columns=%v accumulate=%v: %v", s, ac, bc, acc, err)
				}
				for i := range c {
					if i%stride >= s.n && c[i] != before[i] {
						t.Fatalf("%v wrote c[%d] beyond column %d", s, i, s.n)
					}
				}
			})
		}
	})
}

// TestCheckSeesAnError plants an error of one unit in the fifth digit.
func TestCheckSeesAnError(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := operand(rng, 5, 40, false), operand(rng, 6, 40, false)
	c := make([]float32, 30)
	Multiply(c, 6, a, b, 5, 6, 40, false)
	c[17] += 1e-4
	if check(c, nil, 6, a, b, 5, 6, 40, false) == nil {
		t.Error("a planted error passed")
	}
}

// TestRowsAreIndependent: a row computed alone equals the row among others, and
// so does a column, bit for bit.
func TestRowsAreIndependent(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, s := range shapes {
			forms(func(ac, bc, acc bool) {
				a, b := operand(rng, s.m, s.depth, ac), operand(rng, s.n, s.depth, bc)
				whole := random(rng, s.m*s.n)
				parts := append([]float32(nil), whole...)
				Multiply(whole, s.n, a, b, s.m, s.n, s.depth, acc)
				for i := 0; i < s.m; {
					rows := min(1+rng.IntN(20), s.m-i)
					for j := 0; j < s.n; {
						cols := min(1+rng.IntN(50), s.n-j)
						if s.depth > 0 {
							Multiply(parts[i*s.n+j:], s.n, a.From(i), b.From(j), rows, cols, s.depth, acc)
						} else {
							Multiply(parts[i*s.n+j:], s.n, a, b, rows, cols, 0, acc)
						}
						j += cols
					}
					i += rows
				}
				for i := range whole {
					if math.Float32bits(whole[i]) != math.Float32bits(parts[i]) {
						t.Fatalf("%v a.Columns=%v b.Columns=%v accumulate=%v: element %d is %v whole and %v in parts", s, ac, bc, acc, i, whole[i], parts[i])
					}
				}
			})
		}
	})
}

func TestNoAllocation(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	a, b := operand(rng, 20, 40, false), operand(rng, 37, 40, true)
	c := make([]float32, 20*37)
	if n := testing.AllocsPerRun(20, func() { Multiply(c, 37, a, b, 20, 37, 40, true) }); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
}

func onEachPath(t *testing.T, f func(t *testing.T)) {
	before := selected
	defer func() { selected = before }()
	for _, p := range paths {
		if p.level <= cpu.Best() {
			selected = p
			t.Run(p.level.String(), f)
		}
	}
}
