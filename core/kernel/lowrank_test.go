package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// fusedTerms are two of three projections in one window, [13, 9], and one that fills
// its window.
var (
	fusedTerms = LowRank{In: 9, Out: 13, Rank: 3, Scale: 0.7, Terms: []Columns{{0, 6}, {9, 13}}}
	singleTerm = LowRank{In: 20, Out: 35, Rank: 2, Scale: 2, Terms: []Columns{{0, 35}}}
)

// refLowRank is Scale·b·a, [Out, In].
func refLowRank(l LowRank, a, b vec) vec {
	w := make(vec, l.Out*l.In)
	row := 0
	for t, c := range l.Terms {
		for o := c.From; o < c.To; o++ {
			for r := range l.Rank {
				for i := range l.In {
					w[o*l.In+i] += float64(l.Scale) * b[row*l.Rank+r] * a[(t*l.Rank+r)*l.In+i]
				}
			}
			row++
		}
	}
	return w
}

func lowRankOperation(rng *rand.Rand, n int, l LowRank) operation {
	return operation{
		name:   fmt.Sprintf("LowRank/%d of %+v", n, l),
		in:     [][]float32{random(rng, n*l.In), random(rng, l.Width()*l.In), random(rng, l.Rows()*l.Rank)},
		define: func(v []vec) vec { return refLinear(v[0], refLowRank(l, v[1], v[2]), n, l.In, l.Out) },
		forward: func(v [][]float32) []float32 {
			y, u := make([]float32, n*l.Out), random(rng, n*l.Width())
			FP32.LowRank(y, u, v[0], v[1], v[2], n, l)
			return y
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			y, u, du := make([]float32, n*l.Out), random(rng, n*l.Width()), random(rng, n*l.Width())
			FP32.LowRank(y, u, v[0], v[1], v[2], n, l)
			dx, da, db := make([]float32, n*l.In), random(rng, len(v[1])), random(rng, len(v[2]))
			FP32.LowRankGrad(l, LowRankGrad{DX: dx, DA: da, DB: db, DU: du, DY: dy, U: u, X: v[0], A: v[1], B: v[2], N: n})
			return [][]float32{dx, da, db}
		},
	}
}

// doraOperation has the norms as constants, as the gradient does: those at its inputs.
func doraOperation(rng *rand.Rand, n int, l LowRank) operation {
	in := [][]float32{random(rng, n*l.Out), random(rng, l.Rows()), random(rng, n*l.Out)}
	norms := random(rng, l.Rows())
	for i := range norms {
		norms[i] = 0.5 + float32(math.Abs(float64(norms[i])))
	}
	gain := func(m []float32) []float32 {
		g := random(rng, l.Out)
		l.Gains(g, m, norms)
		return g
	}
	return operation{
		name: fmt.Sprintf("DoRA/%d of %+v", n, l),
		in:   in,
		define: func(v []vec) vec {
			y := append(vec(nil), v[2]...)
			g := make(vec, l.Out)
			for i := range g {
				g[i] = 1
			}
			row := 0
			for _, c := range l.Terms {
				for o := c.From; o < c.To; o++ {
					g[o] = v[1][row] / float64(norms[row])
					row++
				}
			}
			for i, t := range v[0] {
				y[i] += g[i%l.Out] * t
			}
			return y
		},
		forward: func(v [][]float32) []float32 {
			y := random(rng, n*l.Out)
			Gain(y, v[0], gain(v[1]), v[2], n, l.Out)
			return y
		},
		backward: func(v [][]float32, dy []float32) [][]float32 {
			dt, dm := random(rng, n*l.Out), random(rng, l.Rows())
			Gain(dt, dy, gain(v[1]), nil, n, l.Out)
			l.MagnitudeGrad(dm, dy, v[0], norms, n, false)
			return [][]float32{dt, dm, nil}
		},
	}
}

// TestLowRankAdds: to y, to dx, and to da and db where that is asked for.
func TestLowRankAdds(t *testing.T) {
	rng := newRand(21)
	l, n := fusedTerms, 37
	x, a, b, dy := random(rng, n*l.In), random(rng, l.Width()*l.In), random(rng, l.Rows()*l.Rank), random(rng, n*l.Out)
	u, du := make([]float32, n*l.Width()), make([]float32, n*l.Width())
	accumulates := func(name string, size int, f func(out []float32)) {
		from, zero := random(rng, size), make([]float32, size)
		want := widen(from)
		f(zero)
		for i, v := range zero {
			want[i] += float64(v)
		}
		f(from)
		if err := near(from, want, 1e-5); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	accumulates("y", n*l.Out, func(y []float32) { FP32.LowRank(y, u, x, a, b, n, l) })
	da, db := make([]float32, len(a)), make([]float32, len(b))
	accumulates("dx", n*l.In, func(dx []float32) {
		FP32.LowRankGrad(l, LowRankGrad{DX: dx, DA: da, DB: db, DU: du, DY: dy, U: u, X: x, A: a, B: b, N: n})
	})
	accumulates("da", len(a), func(da []float32) {
		FP32.LowRankGrad(l, LowRankGrad{DA: da, DB: db, DU: du, DY: dy, U: u, X: x, A: a, B: b, N: n, Accumulate: true})
	})
	accumulates("db", len(b), func(db []float32) {
		FP32.LowRankGrad(l, LowRankGrad{DA: da, DB: db, DU: du, DY: dy, U: u, X: x, A: a, B: b, N: n, Accumulate: true})
	})
	norms := random(rng, l.Rows())
	accumulates("dm", l.Rows(), func(dm []float32) { l.MagnitudeGrad(dm, dy, dy, norms, n, true) })
}

// TestNorms compares with the rows of the sum itself.
func TestNorms(t *testing.T) {
	rng := newRand(22)
	for _, l := range []LowRank{fusedTerms, singleTerm} {
		w, a, b := random(rng, l.Out*l.In), random(rng, l.Width()*l.In), random(rng, l.Rows()*l.Rank)
		squares, norms := make([]float64, l.Out), random(rng, l.Rows())
		RowSquares(squares, w, l.In)
		norms = norms[:l.Rows()]
		check := func() error {
			l.Norms(norms, squares, w, a, b)
			var want vec
			delta := refLowRank(l, widen(a), widen(b))
			for _, c := range l.Terms {
				for o := c.From; o < c.To; o++ {
					sum := 0.0
					for i := range l.In {
						v := float64(w[o*l.In+i]) + delta[o*l.In+i]
						sum += v * v
					}
					want = append(want, math.Sqrt(sum))
				}
			}
			return near(norms, want, 1e-5)
		}
		if err := check(); err != nil {
			t.Error(err)
		}
		squares[l.Out-1] += 0.1
		if check() == nil {
			t.Error("the norm of a row that has another square passes")
		}
	}
}

// TestLowRankThreads: the number of threads changes no bit.
func TestLowRankThreads(t *testing.T) {
	defer SetThreads(0)
	l, n := LowRank{In: 192, Out: 320, Rank: 8, Scale: 2, Terms: []Columns{{0, 192}, {256, 320}}}, 700
	var want [][]float32
	for _, threads := range []int{1, 2, 3, 7} {
		SetThreads(threads)
		rng := newRand(23)
		x, a, b, dy, w := random(rng, n*l.In), random(rng, l.Width()*l.In), random(rng, l.Rows()*l.Rank), random(rng, n*l.Out), random(rng, l.Out*l.In)
		y, u, du := make([]float32, n*l.Out), make([]float32, n*l.Width()), make([]float32, n*l.Width())
		dx, da, db, dm := make([]float32, n*l.In), make([]float32, len(a)), make([]float32, len(b)), make([]float32, l.Rows())
		squares, norms, gain := make([]float64, l.Out), make([]float32, l.Rows()), make([]float32, l.Out)
		RowSquares(squares, w, l.In)
		l.Norms(norms, squares, w, a, b)
		l.Gains(gain, norms, norms)
		FP32.LowRank(y, u, x, a, b, n, l)
		FP32.LowRankGrad(l, LowRankGrad{DX: dx, DA: da, DB: db, DU: du, DY: dy, U: u, X: x, A: a, B: b, N: n})
		l.MagnitudeGrad(dm, dy, y, norms, n, false)
		Gain(y, y, gain, x[:0:0], 0, l.Out)
		got := [][]float32{y, dx, da, db, dm, norms}
		if want == nil {
			want = got
		}
		for i := range got {
			if err := same(got[i], want[i]); err != nil {
				t.Errorf("%d threads, result %d: %v", threads, i, err)
			}
		}
	}
}

// TestDropout: as many elements are dropped as p says, the mean stays, another key
// drops others, and the gradient has the same ones.
func TestDropout(t *testing.T) {
	defer SetThreads(0)
	const n, p = 200_000, 0.3
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	Dropout(y, x, p, 5)
	dropped, sum := 0, 0.0
	for _, v := range y {
		if v == 0 {
			dropped++
		}
		sum += float64(v)
	}
	if share := float64(dropped) / n; math.Abs(share-p) > 0.005 || math.Abs(sum/n-1) > 0.01 {
		t.Errorf("%v are dropped, and the mean is %v", share, sum/n)
	}
	dx := make([]float32, n)
	for i := range dx {
		dx[i] = 2
	}
	SetThreads(3)
	DropoutGrad(dx, x, p, 5)
	for i, v := range dx {
		if v != 2+y[i] {
			t.Fatalf("element %d of the gradient is %v, of the result %v", i, v, y[i])
		}
	}
	other, equal := make([]float32, n), 0
	Dropout(other, x, p, 6)
	for i, v := range other {
		if v == y[i] {
			equal++
		}
	}
	if share := float64(equal) / n; math.Abs(share-(p*p+(1-p)*(1-p))) > 0.005 {
		t.Errorf("with another key %v of the elements are treated alike", share)
	}
	Dropout(y, x, 0, 5)
	if err := same(y, x); err != nil {
		t.Errorf("a probability of 0: %v", err)
	}
}
