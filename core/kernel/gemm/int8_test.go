package gemm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRoundInt8: elements are off by half a step at most, and numbers that are not normal
// do no harm.
func TestRoundInt8(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	for _, size := range []float32{1, 1e-30, 1e30, 0x1p-110} {
		for n := 1; n <= Int8Block; n += 21 {
			block := random(rng, n)
			for i := range block {
				block[i] *= size
			}
			steps := make([]int8, n)
			scale := RoundInt8(steps, block)
			for i, v := range block {
				if off := math.Abs(float64(v - scale*float32(steps[i]))); !(off <= float64(scale)/2*1.0001) {
					t.Errorf("%v became %d steps of %v", v, steps[i], scale)
				}
			}
			if !slices.Contains(steps, 127) && !slices.Contains(steps, -127) {
				t.Errorf("the largest of %v is not 127 steps: %v", block, steps)
			}
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ block, want []float32 }{
		{[]float32{0, 0}, []float32{0, 0}},
		{[]float32{1e-44, -2e-45, 2e-43}, []float32{0, 0, 0}},
		{[]float32{127, -126.5, 0.5, 1.5}, []float32{127, -126, 0, 2}},
		{[]float32{1, nan}, nil},
		{[]float32{-inf, 1}, nil},
	} {
		steps := []int8{5, 5, 5, 5}[:len(c.block)]
		scale := RoundInt8(steps, c.block)
		if finite := scale-scale == 0; finite != (c.want != nil) {
			t.Errorf("%v has the scale %v", c.block, scale)
		}
		for i, v := range c.want {
			if got := scale * float32(steps[i]); got != v {
				t.Errorf("%v: element %d is %v, want %v", c.block, i, got, v)
			}
		}
	}
}

// TestLine: a line of panels is what was rounded, whatever the path.
func TestLine(t *testing.T) {
	onEachPath(t, func(t *testing.T, f Format) {
		if f != Int8 {
			return
		}
		p := newProduct(rand.New(rand.NewPCG(17, 18)), f, 1, 37, 1337, false, false, nothing)
		var q Panels
		q.Reserve(f, p.N, p.Depth)
		q.Pack(p.B, 0, q.Count())
		want, got := p.stored(), make([]float32, p.Depth)
		for i := range p.N {
			q.Line(got, i)
			if !slices.Equal(got, want.Data[i*p.Depth:][:p.Depth]) {
				t.Fatalf("line %d is not what was rounded", i)
			}
		}
	})
}
