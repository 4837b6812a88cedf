package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/eval/stat"
)

// TestIntervalsCoverTheTruth draws many samples of prompts whose mean is known.
// Of intervals at 95% about 95% hold it; of ones half as wide, two thirds.
func TestIntervalsCoverTheTruth(t *testing.T) {
	const runs, prompts = 300, 60
	rng := rand.New(rand.NewPCG(11, 4))
	held, narrow := 0, 0
	for run := range runs {
		x := make([]float64, prompts)
		for i := range x {
			x[i] = rng.ExpFloat64() // mean 1
		}
		e := newBootstrap(uint64(run), prompts).mean(x)
		if *e.Low <= 1 && 1 <= *e.High {
			held++
		}
		if (*e.Low+e.Value)/2 <= 1 && 1 <= (*e.High+e.Value)/2 {
			narrow++
		}
	}
	if covered := float64(held) / runs; covered < 0.90 || covered > 0.98 {
		t.Errorf("%g of the intervals hold the mean", covered)
	}
	if covered := float64(narrow) / runs; covered > 0.8 {
		t.Errorf("of intervals half as wide %g hold the mean: the test would not notice", covered)
	}
}

// TestManyPromptsAreGrouped compares with the normal interval, which is right for
// so many.
func TestManyPromptsAreGrouped(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	x := make([]float64, 3*mostGroups+17)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	b := newBootstrap(1, len(x))
	if b.Groups() != mostGroups {
		t.Fatalf("%d groups", b.Groups())
	}
	got, want := b.mean(x), stat.Mean(x)
	if math.Abs(got.Value-want.Value) > 1e-8 {
		t.Errorf("mean %g, want %g", got.Value, want.Value)
	}
	if ratio := (*got.High - *got.Low) / (want.High - want.Low); math.Abs(ratio-1) > 0.1 {
		t.Errorf("the interval is %g times as wide as the normal one", ratio)
	}
}

func TestRatioWeighsPromptsByTheirSamples(t *testing.T) {
	e := newBootstrap(1, 3).ratio([]float64{1, 30, 0}, []float64{1, 10, 0})
	if e.Value != rounded(31.0/11) || e.Prompts != 2 {
		t.Errorf("got %+v, want 31/11 of 2 prompts", e)
	}
	if e := newBootstrap(1, 2).ratio([]float64{0, 0}, []float64{0, 0}); e != nil {
		t.Errorf("of nothing: %+v", e)
	}
}

// TestShareIsNeverCertain compares with eval's interval.
func TestShareIsNeverCertain(t *testing.T) {
	for _, value := range []float64{0, 1} {
		x := make([]float64, 40)
		for i := range x {
			x[i] = value
		}
		e, want := share(newBootstrap(1, 40).mean(x)), stat.Proportion(40*value, 40)
		if math.Abs(*e.Low-want.Low) > 1e-8 || math.Abs(*e.High-want.High) > 1e-8 {
			t.Errorf("share %g: [%g, %g], want [%g, %g]", value, *e.Low, *e.High, want.Low, want.High)
		}
	}
}

func TestRounded(t *testing.T) {
	for x, want := range map[float64]float64{1.0 / 3: 0.33333333, -123456789: -123456790, math.Copysign(0, -1): 0, 1e300: 1e300} {
		if got := rounded(x); got != want || math.Signbit(got) != (want < 0) {
			t.Errorf("%g: %g, want %g", x, got, want)
		}
	}
}

func TestQuantile(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.1: 1, 0.5: 5, 0.51: 6, 0.9: 9, 1: 10} {
		if got := stat.Quantile([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, q); got != want {
			t.Errorf("quantile %g: %g, want %g", q, got, want)
		}
	}
}
