// Package stat estimates numbers with their 95% confidence intervals: means, proportions,
// ratios, and any of these by a bootstrap.
//
// Begin with [Proportion] for a share of questions, [Mean] for a mean, [Ratio] for a ratio of
// two sums. [NewBootstrap] serves many estimates over the same units. All intervals are the
// same at every call: the random streams have fixed seeds.
package stat

import (
	"fmt"
	"math"
)

// Measure is a number with its 95% confidence interval. A number that is not known is NaN: the
// mean of nothing, or the interval of a single value.
type Measure struct {
	Value, Low, High float64
	N                int // how many questions, documents or pairs it summarises
}

// String returns the value with its interval, in three digits.
func (m Measure) String() string { return fmt.Sprintf("%.3g [%.3g, %.3g]", m.Value, m.Low, m.High) }

// Known reports whether x is a finite number.
func Known(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// z is the 97.5% quantile of the normal distribution.
const z = 1.959964

// Proportion returns the share of k in n with Wilson's interval (Wilson 1927), which is sound
// also near 0 and 1 and for small n.
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
	mean := Sum(x) / float64(len(x))
	var squares float64
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	half := z * math.Sqrt(squares/float64(len(x)-1)/float64(len(x)))
	return Measure{Value: mean, Low: mean - half, High: mean + half, N: len(x)}
}

// Win is 1 if the first of two has the lead over the second, a half for a tie, and 0 otherwise.
func Win(lead float64) float64 {
	switch {
	case lead > 0:
		return 1
	case lead == 0:
		return 0.5
	}
	return 0
}

// Sum returns the sum of x.
func Sum(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum
}

// Quantile returns the value that a share q of sorted numbers do not exceed, by nearest rank.
func Quantile(sorted []float64, q float64) float64 {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
