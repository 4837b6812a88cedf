package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHistogramCounts draws numbers of all magnitudes: none is lost, and but for
// those far out each lies in its bin.
func TestHistogramCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 9))
	for range 300 {
		var p prompt
		scale, shift := math.Pow(10, rng.Float64()*20-10), math.Pow(10, rng.Float64()*20-10)
		for range 1 + rng.IntN(300) {
			x := shift + scale*rng.NormFloat64()
			if rng.IntN(50) == 0 {
				x *= 1e6
			}
			p.draws = append(p.draws, draw{score: x, correct: float64(rng.IntN(2))})
		}
		_, all := distribution([]prompt{p}, score)
		h := histogram([]prompt{p}, score, all)
		if got := total(h.All); got != float64(len(all)) || total(h.Best) != 1 || len(h.All) > 2*mostBins || h.Correct == nil {
			t.Fatalf("%g of %d counted in %d bins", got, len(all), len(h.All))
		}
		far := 0
		for _, x := range all {
			from := h.Low + h.Width*float64(h.bin(x))
			if slack := 1e-6*h.Width + 1e-12*math.Abs(x); h.Width > 0 && (x < from-slack || x > from+h.Width+slack) {
				far++
			}
		}
		if far > h.Clipped {
			t.Errorf("%d numbers are not in their bins, %d are said to be far out", far, h.Clipped)
		}
	}
}

func TestHistogramOfOneValue(t *testing.T) {
	for _, x := range []float64{0, -3.5, 5e-324, mostNumber} {
		h := newHistogram([]float64{x, x})
		if h.Width != 0 || len(h.All) != 1 || h.bin(x) != 0 {
			t.Errorf("%g: %+v", x, h)
		}
	}
}

// TestHistogramKeepsTheBulk has one number far away from a thousand others.
func TestHistogramKeepsTheBulk(t *testing.T) {
	var x []float64
	for i := range 1000 {
		x = append(x, float64(i)/1000)
	}
	h := newHistogram(slices.Sorted(slices.Values(append(x, 1e6))))
	if h.Width > 0.05 || h.Clipped < 1 || h.Clipped > 11 {
		t.Errorf("bins of %g, %d clipped", h.Width, h.Clipped)
	}
	if h := newHistogram(x); h.Clipped != 0 || len(h.All) < 15 {
		t.Errorf("without it: %d bins, %d clipped", len(h.All), h.Clipped)
	}
}

func TestRoundStep(t *testing.T) {
	for x, want := range map[float64]float64{0.03: 0.05, 1: 1, 1.1: 2, 2.2: 2.5, 26: 50, 51: 100, 0: 0} {
		if got := roundStep(x); got != want {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
}
