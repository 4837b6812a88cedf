package stat

import (
	"math"
	"testing"
)

// TestBootstrapAgreesWithRatio: of the same pairs both give the same value, and intervals that
// differ by chance only.
func TestBootstrapAgreesWithRatio(t *testing.T) {
	a, b := make([]float64, 300), make([]float64, 300)
	for i := range a {
		b[i] = float64(1 + i*7%10)
		a[i] = 2*b[i] + math.Sin(float64(i))
	}
	one, two := Ratio(a, b), NewBootstrap(1, len(a), 2000, len(a)).Ratio(a, b)
	if !near(one.Value, two.Value, 1e-12) || one.N != two.N {
		t.Errorf("%v and %v", one, two)
	}
	if ratio := (two.High - two.Low) / (one.High - one.Low); math.Abs(ratio-1) > 0.15 {
		t.Errorf("the intervals %v and %v differ", one, two)
	}
}

// TestBootstrapLeavesOut: a unit without a denominator takes no part.
func TestBootstrapLeavesOut(t *testing.T) {
	b := NewBootstrap(1, 3, 100, 8)
	if m := b.Ratio([]float64{1, 30, 0}, []float64{1, 10, 0}); m.N != 2 || m.Value != 31.0/11 {
		t.Errorf("%v of %d units", m, m.N)
	}
	for _, below := range [][]float64{{0, 0, 0}, {0, 2, 0}} {
		if m := b.Ratio([]float64{1, 1, 1}, below); Known(m.Low) || Known(m.High) {
			t.Errorf("an interval of %d units: %v", m.N, m)
		}
	}
}
