package main

import (
	"math"

	. "github.com/herd-lm/herd/core/kernel/gen/neon"
)

// A sum has four running totals per lane, as many as keep one pipe busy: a multiply-add takes four
// cycles. fold joins them at the end.
const totals = 4

func (w *writer) sums() {
	w.routine("Dot", "a, b []float32", "float32", "returns Σ a·b.", func() {
		p, n, sums := w.bases("a", "b"), w.length("a"), w.zeros(totals)
		w.addDot("loop", n, p, sums)
		w.result(w.sum(sums))
	})
	w.routine("Dot3", "a, b, c []float32", "float32", "returns Σ a·b·c.", func() {
		p, n, sums := w.bases("a", "b", "c"), w.length("a"), w.zeros(totals)
		w.each("loop", n, p, totals, func(l lanes) {
			ab := l.load(p[0])
			w.Multiply(ab, ab, l.load(p[1]))
			w.MultiplyAdd(sums[l.v], ab, l.load(p[2]))
		})
		w.result(w.sum(sums))
	})
	w.routine("Max", "x []float32", "float32", "returns the largest of x, or -Inf.", func() {
		p, n := w.bases("x"), w.length("x")
		var most []Vec
		for range totals {
			most = append(most, w.constant(float32(math.Inf(-1))))
		}
		w.each("loop", n, p, totals, func(l lanes) {
			v := l.load(p[0])
			if l.single { // the other lanes are no elements
				w.Spread(v, v)
			}
			w.Largest(most[l.v], most[l.v], v)
		})
		v := fold(most, w.Largest)
		w.LargestLane(v, v)
		w.result(v)
	})
	w.routine("SumSquares", "x []float32", "float64", "returns Σ x² in float64.", func() {
		p, n, sums := w.bases("x"), w.length("x"), w.zeros(2*totals)
		w.each("loop", n, p, totals, func(l lanes) {
			v, low := l.load(p[0]), w.Vec()
			w.WidenLow(low, v)
			w.WidenHigh(v, v)
			w.Op("VFMLA", low.D2(), low.D2(), sums[2*l.v].D2())
			w.Op("VFMLA", v.D2(), v.D2(), sums[2*l.v+1].D2())
		})
		v := fold(sums, w.Add64)
		w.AddPair64(v, v)
		w.Op("FMOVD", v.F(), w.Argument("ret"))
	})
}

// addDot adds the products of two arrays of n elements to the sums.
func (w *writer) addDot(name string, n GP, p []GP, sums []Vec) {
	w.each(name, n, p, len(sums), func(l lanes) { w.MultiplyAdd(sums[l.v], l.load(p[0]), l.load(p[1])) })
}

// fold joins registers, halves first, and returns the one that has the result.
func fold(v []Vec, combine func(d, n, m Vec)) Vec {
	for half := len(v) / 2; half > 0; half /= 2 {
		for i := range half {
			combine(v[i], v[i], v[i+half])
		}
	}
	return v[0]
}

// sum adds up the lanes of all sums in a fixed order. The lowest lane has the result.
func (w *writer) sum(sums []Vec) Vec {
	v := fold(sums, w.Add)
	w.AddPairs(v, v, v)
	w.AddPairs(v, v, v)
	return v
}

// result returns the lowest lane of v.
func (w *writer) result(v Vec) { w.Op("FMOVS", v.F(), w.Argument("ret")) }
