package vector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/kernel/guard"
)

// block is rows of scores with what belongs to them, between guard pages.
type block struct {
	Scores
	s, ds, top, sum, shrink, lse, delta []float32
}

func newBlock(t *testing.T, rng *rand.Rand, n int, end bool) block {
	t.Helper()
	const rows = 3
	stride := (n + 15) &^ 15
	array := func(size int) []float32 {
		x, free, err := guard.Floats(size, end)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(free)
		copy(x, random(rng, size))
		return x
	}
	b := block{Scores: Scores{Stride: stride, N: n, Scale: .3, Visible: []int32{1, int32(n+1) / 2, int32(n)}}}
	b.s, b.ds = array(rows*stride), array(rows*stride)
	b.top, b.sum, b.shrink, b.lse, b.delta = array(rows), array(rows), array(rows), array(rows), array(rows)
	return b
}

// checkSoftmax compares Softmax with its definition in float64.
func (b block) checkSoftmax(planted float32) error {
	want := make([][]float64, len(b.Visible))
	top, sum, shrink := make([]float64, len(want)), make([]float64, len(want)), make([]float64, len(want))
	for r, v := range b.Visible {
		top[r] = float64(b.top[r])
		for _, x := range b.s[r*b.Stride:][:v] {
			top[r] = max(top[r], float64(x)*float64(b.Scale))
		}
		shrink[r] = math.Exp(float64(b.top[r]) - top[r])
		want[r] = make([]float64, b.N)
		total := 0.0
		for j, x := range b.s[r*b.Stride:][:v] {
			want[r][j] = math.Exp(float64(x)*float64(b.Scale) - top[r])
			total += want[r][j]
		}
		sum[r] = float64(b.sum[r])*shrink[r] + total
	}
	b.s[2*b.Stride+b.N-1] += planted
	b.Softmax(b.s, b.top, b.sum, b.shrink)
	for r := range want {
		if err := near("p", b.s[r*b.Stride:][:b.N], want[r]); err != nil {
			return fmt.Errorf("row %d: %v", r, err)
		}
	}
	for _, err := range []error{near("top", b.top, top), near("sum", b.sum, sum), near("shrink", b.shrink, shrink)} {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkGradient compares Gradient with its definition in float64.
func (b block) checkGradient(planted float32) error {
	var p, ds [][]float64
	for r, v := range b.Visible {
		p, ds = append(p, make([]float64, b.N)), append(ds, make([]float64, b.N))
		for j := range v {
			at := r*b.Stride + int(j)
			p[r][j] = math.Exp(float64(b.s[at])*float64(b.Scale) - float64(b.lse[r]))
			ds[r][j] = float64(b.Scale) * p[r][j] * (float64(b.ds[at]) - float64(b.delta[r]))
		}
	}
	b.ds[2*b.Stride+b.N-1] += planted
	b.Gradient(b.s, b.ds, b.lse, b.delta)
	for r := range p {
		for _, err := range []error{near("p", b.s[r*b.Stride:][:b.N], p[r]), near("ds", b.ds[r*b.Stride:][:b.N], ds[r])} {
			if err != nil {
				return fmt.Errorf("row %d: %v", r, err)
			}
		}
	}
	return nil
}

func near(what string, got []float32, want []float64) error {
	for i, w := range want {
		if g := float64(got[i]); !(math.Abs(g-w) <= 3e-6*max(1, math.Abs(w))) {
			return fmt.Errorf("%s[%d] = %v, want %v", what, i, g, w)
		}
	}
	return nil
}

func TestScores(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 6))
		for _, n := range lengths[1:] {
			for _, end := range []bool{false, true} {
				if err := newBlock(t, rng, n, end).checkSoftmax(0); err != nil {
					t.Errorf("softmax of %d: %v", n, err)
				}
				first := newBlock(t, rng, n, end)
				for r := range first.top {
					first.top[r], first.sum[r] = float32(math.Inf(-1)), 0
				}
				if err := first.checkSoftmax(0); err != nil {
					t.Errorf("softmax of the first %d: %v", n, err)
				}
				if err := newBlock(t, rng, n, end).checkGradient(0); err != nil {
					t.Errorf("gradient of %d: %v", n, err)
				}
				if newBlock(t, rng, n, end).checkSoftmax(1) == nil || newBlock(t, rng, n, end).checkGradient(1) == nil {
					t.Errorf("%d: a planted error goes unnoticed", n)
				}
			}
		}
	})
}

// TestScoresNaN: a NaN among the scores reaches the sum.
func TestScoresNaN(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		b := newBlock(t, rand.New(rand.NewPCG(7, 8)), 40, true)
		b.s[2*b.Stride+17] = float32(math.NaN())
		b.Softmax(b.s, b.top, b.sum, b.shrink)
		if !math.IsNaN(float64(b.sum[2])) {
			t.Errorf("sum = %v, want NaN", b.sum[2])
		}
	})
}

func TestScaleRows(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 9))
		for _, width := range lengths {
			y, free, err := guard.Floats(3*width, width%2 == 0)
			if err != nil {
				t.Fatal(err)
			}
			defer free()
			by, want := random(rng, 3), make([]float64, 3*width)
			for i := range y {
				y[i] = float32(rng.NormFloat64())
				want[i] = float64(y[i]) * float64(by[i/width])
			}
			ScaleRows(y, by)
			if err := near("y", y, want); err != nil {
				t.Errorf("width %d: %v", width, err)
			}
		}
		ScaleRows(nil, nil)
	})
}

func TestRotate(t *testing.T) {
	const runs, sign = 3, -1
	check := func(half int, planted float32) error {
		rng := rand.New(rand.NewPCG(uint64(half), 3))
		x, free, err := guard.Floats(runs*2*half, half%2 == 0)
		if err != nil {
			t.Fatal(err)
		}
		defer free()
		copy(x, random(rng, len(x)))
		cos, sin, want := random(rng, half), random(rng, half), make([]float64, len(x))
		for i := range x {
			j := i % max(1, 2*half)
			c, s := float64(cos[j%half]), sign*float64(sin[j%half])
			if j < half {
				want[i] = float64(x[i])*c - float64(x[i+half])*s
			} else {
				want[i] = float64(x[i])*c + float64(x[i-half])*s
			}
		}
		if half > 0 {
			x[len(x)-1] += planted
		}
		Rotate(x, cos, sin, sign)
		return near("x", x, want)
	}
	onEachLevel(t, func(t *testing.T) {
		for _, half := range lengths {
			if err := check(half, 0); err != nil {
				t.Errorf("half %d: %v", half, err)
			}
			if half > 0 && check(half, .1) == nil {
				t.Errorf("half %d: a planted error goes unnoticed", half)
			}
		}
	})
}

// TestCopyRows: rows arrive, and nothing beside them changes or is read.
func TestCopyRows(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		const rows, gap = 3, 5
		rng := rand.New(rand.NewPCG(10, 10))
		for _, width := range lengths {
			for _, end := range []bool{false, true} {
				array := func(stride int) []float32 {
					x, free, err := guard.Floats((rows-1)*stride+width, end)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(free)
					copy(x, random(rng, len(x)))
					return x
				}
				x, y := array(width+2*gap), array(width+gap)
				want := slices.Clone(y)
				for r := range rows {
					copy(want[r*(width+gap):][:width], x[r*(width+2*gap):])
				}
				CopyRows(y, x, rows, width, width+gap, width+2*gap)
				if !slices.Equal(y, want) {
					t.Errorf("width %d: %v, want %v", width, y, want)
				}
				CopyRows(nil, nil, 0, width, width, width)
			}
		}
	})
}
