package report

import (
	"cmp"
	"math"
	"slices"
)

// bestOf returns the expected value of the best of n samples drawn without replacement. ranked has
// the values in order of rank, the worst first: the i-th is the best of n in C(i-1,n-1) of C(N,n)
// choices. With values of 0 and 1 that are their own ranks, it is the pass@k estimator of Chen et
// al. (arXiv 2107.03374).
func bestOf(n int, ranked []float64) float64 {
	var expected float64
	weight := float64(n) / float64(len(ranked))
	for i := len(ranked); i >= n; i-- {
		expected += weight * ranked[i-1]
		weight *= float64(i-n) / float64(max(i-1, 1))
	}
	return expected
}

// curve estimates the value of the best of n samples, for n up to the largest number of samples of
// a prompt. ranked has the values of each prompt's samples, the worst first.
func curve(b *bootstrap, ranked [][]float64) []Point {
	most := 0
	for _, values := range ranked {
		most = max(most, len(values))
	}
	var points []Point
	for _, n := range steps(most) {
		expected := make([]float64, len(ranked))
		for i, values := range ranked {
			expected[i] = math.NaN()
			if len(values) >= n {
				expected[i] = bestOf(n, values)
			}
		}
		e := b.mean(expected)
		points = append(points, Point{Samples: n, Estimate: *e, LeftOut: len(ranked) - e.Prompts})
	}
	return points
}

// steps returns the n at which a curve has points: all up to 32, then the powers of two and the
// last one.
func steps(most int) []int {
	var all []int
	if most <= 32 {
		for n := 1; n <= most; n++ {
			all = append(all, n)
		}
		return all
	}
	for n := 1; n < most; n *= 2 {
		all = append(all, n)
	}
	return append(all, most)
}

func score(d draw) float64   { return d.score }
func reward(d draw) float64  { return d.reward }
func correct(d draw) float64 { return d.correct }

// values returns the known values of each prompt's samples.
func values(prompts []prompt, of func(draw) float64) [][]float64 {
	all := make([][]float64, len(prompts))
	for i, p := range prompts {
		for _, d := range p.draws {
			if v := of(d); known(v) {
				all[i] = append(all[i], v)
			}
		}
	}
	return all
}

// ascending sorts each prompt's values.
func ascending(all [][]float64) [][]float64 {
	for _, values := range all {
		slices.Sort(values)
	}
	return all
}

// ranked returns the values of each prompt's samples in the order of their ranks. Samples of equal
// rank are equally likely to be chosen, so each gets the mean of their values.
func ranked(prompts []prompt, by, of func(draw) float64) [][]float64 {
	all := make([][]float64, len(prompts))
	for i, p := range prompts {
		draws := judged(p.draws, by, of)
		slices.SortFunc(draws, func(a, b draw) int { return cmp.Compare(by(a), by(b)) })
		for from, to := range ties(draws, by) {
			var total float64
			for _, d := range draws[from:to] {
				total += of(d)
			}
			for range to - from {
				all[i] = append(all[i], total/float64(to-from))
			}
		}
	}
	return all
}

// judged returns the samples for which both values are known.
func judged(draws []draw, by, of func(draw) float64) []draw {
	var both []draw
	for _, d := range draws {
		if known(by(d)) && known(of(d)) {
			both = append(both, d)
		}
	}
	return both
}

// ties yields the ranges of samples with equal numbers in a sorted list.
func ties(draws []draw, by func(draw) float64) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for from := 0; from < len(draws); {
			to := from + 1
			for to < len(draws) && by(draws[to]) == by(draws[from]) {
				to++
			}
			if !yield(from, to) {
				return
			}
			from = to
		}
	}
}
