// Package eval measures models on data that no stage has seen; it changes
// nothing.
package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Measure is a number with its 95% confidence interval. What cannot be known is
// NaN: the mean of nothing, or the interval around a single value.
type Measure struct {
	Value, Low, High float64
	N                int // what it is the mean of: questions, documents, pairs
}

func (m Measure) String() string { return fmt.Sprintf("%.3g [%.3g, %.3g]", m.Value, m.Low, m.High) }

// known reports whether x is a number that can be told.
func known(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// z is the 97.5% quantile of the normal distribution.
const z = 1.959964

// Proportion returns the share of k in n with Wilson's interval (Wilson 1927),
// which is sound also near 0 and 1 and for small n.
func Proportion(k float64, n int) Measure {
	if n == 0 {
		return Measure{Value: math.NaN(), Low: 0, High: 1}
	}
	p, size := k/float64(n), float64(n)
	centre := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	// Rounding may put a bound on the wrong side of 0 or 1.
	return Measure{Value: p, Low: min(p, max(0, centre-half)), High: max(p, min(1, centre+half)), N: n}
}

// Mean returns the mean of x with a normal interval.
func Mean(x []float64) Measure {
	var sum, squares float64
	for _, v := range x {
		sum += v
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	half := z * math.Sqrt(squares/float64(len(x)-1)/float64(len(x)))
	return Measure{Value: mean, Low: mean - half, High: mean + half, N: len(x)}
}

// resamples is how often a ratio is bootstrapped.
const resamples = 1000

// Ratio returns sum(a)/sum(b) with the percentile interval of a bootstrap over
// the pairs (Efron 1979); it is the same at every call.
func Ratio(a, b []float64) Measure {
	rng := rand.New(rand.NewPCG(1979, uint64(len(a))))
	draws := make([]float64, resamples)
	for i := range draws {
		var above, below float64
		for range a {
			k := rng.IntN(len(a))
			above, below = above+a[k], below+b[k]
		}
		draws[i] = above / below
	}
	slices.Sort(draws)
	var above, below float64
	for i := range a {
		above, below = above+a[i], below+b[i]
	}
	m := Measure{Value: above / below, Low: math.NaN(), High: math.NaN(), N: len(a)}
	if len(a) > 1 {
		m.Low, m.High = draws[resamples*25/1000], draws[resamples*975/1000-1]
	}
	return m
}
