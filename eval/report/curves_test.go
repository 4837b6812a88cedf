package report

import (
	"cmp"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

const tiny = 1e-12

// choices calls f with every choice of n of the numbers below all.
func choices(all, n int, f func([]int)) {
	for set := range uint(1) << all {
		if bits.OnesCount(set) == n {
			var chosen []int
			for i := range all {
				if set>>i&1 == 1 {
					chosen = append(chosen, i)
				}
			}
			f(chosen)
		}
	}
}

// enumerated is the mean value of the sample that ranks highest, over all choices
// of n; of equal ones each is taken as often.
func enumerated(n int, by, of []float64) float64 {
	var total, sets float64
	choices(len(by), n, func(chosen []int) {
		best := math.Inf(-1)
		for _, i := range chosen {
			best = max(best, by[i])
		}
		var value, equal float64
		for _, i := range chosen {
			if by[i] == best {
				value, equal = value+of[i], equal+1
			}
		}
		total, sets = total+value/equal, sets+1
	})
	return total / sets
}

// estimators are ways to tell the expected best of n of one prompt: ours, and
// two that are often met and are wrong.
var estimators = map[string]func(n int, p prompt) float64{
	"exact": func(n int, p prompt) float64 { return bestOf(n, ranked([]prompt{p}, reward, correct)[0]) },
	"with replacement": func(n int, p prompt) float64 {
		values := ranked([]prompt{p}, reward, correct)[0]
		var e float64
		for i, v := range values {
			e += v * (math.Pow(float64(i+1)/float64(len(values)), float64(n)) - math.Pow(float64(i)/float64(len(values)), float64(n)))
		}
		return e
	},
	"first of equals": func(n int, p prompt) float64 {
		draws := slices.Clone(p.draws)
		slices.SortStableFunc(draws, func(a, b draw) int { return cmp.Compare(a.reward, b.reward) })
		var values []float64
		for _, d := range draws {
			values = append(values, d.correct)
		}
		return bestOf(n, values)
	},
}

func TestBestOfIsWhatEnumerationSays(t *testing.T) {
	off := map[string]float64{}
	rng := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		var p prompt
		var by, of []float64
		for range 1 + rng.IntN(8) {
			r, c := float64(rng.IntN(4)), float64(rng.IntN(2))
			p.draws = append(p.draws, draw{reward: r, correct: c})
			by, of = append(by, r), append(of, c)
		}
		for n := 1; n <= len(by); n++ {
			for name, estimate := range estimators {
				off[name] = max(off[name], math.Abs(estimate(n, p)-enumerated(n, by, of)))
			}
		}
	}
	if off["exact"] > tiny {
		t.Errorf("best of n is off by %g", off["exact"])
	}
	for _, wrong := range []string{"with replacement", "first of equals"} {
		if off[wrong] < 0.01 {
			t.Errorf("the planted estimator %q went unnoticed: off by %g", wrong, off[wrong])
		}
	}
}

// TestPassAtK compares with the formula of Chen et al., 1 - C(n-c,k)/C(n,k).
func TestPassAtK(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for c := 0; c <= n; c++ {
			verdicts := make([]float64, n)
			for i := range c {
				verdicts[n-1-i] = 1
			}
			for k := 1; k <= n; k++ {
				want := 1.0
				if n-c >= k {
					want = 1 - choose(n-c, k)/choose(n, k)
				}
				if got := bestOf(k, verdicts); math.Abs(got-want) > 1e-11 {
					t.Fatalf("pass@%d of %d correct in %d: %g, want %g", k, c, n, got, want)
				}
			}
		}
	}
	if got, want := bestOf(3, []float64{0, 0, 0, 0, 0, 0, 1, 1, 1, 1}), 1-20.0/120; math.Abs(got-want) > tiny {
		t.Errorf("pass@3 of 4 correct in 10: %g, want %g", got, want)
	}
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(k-i)
	}
	return c
}

// TestCurveLeavesOutShortPrompts has two prompts of two samples and one of three.
func TestCurveLeavesOutShortPrompts(t *testing.T) {
	points := curve(newBootstrap(1, 4), [][]float64{{0, 1}, {0, 0}, {0, 1, 1}, nil})
	want := []Point{
		{Samples: 1, Estimate: Estimate{Value: rounded((0.5 + 2.0/3) / 3), Prompts: 3}, LeftOut: 1},
		{Samples: 2, Estimate: Estimate{Value: rounded(2.0 / 3), Prompts: 3}, LeftOut: 1},
		{Samples: 3, Estimate: Estimate{Value: 1, Prompts: 1}, LeftOut: 3},
	}
	for i := range points {
		if w := want[i]; points[i].Low == nil != (w.Prompts == 1) {
			t.Errorf("point %d: interval %v of %d prompts", i, points[i].Low, w.Prompts)
		}
		points[i].Low, points[i].High = nil, nil
	}
	if !slices.Equal(points, want) {
		t.Errorf("got %+v, want %+v", points, want)
	}
}

func TestSteps(t *testing.T) {
	for most, want := range map[int][]int{0: nil, 1: {1}, 4: {1, 2, 3, 4}, 33: {1, 2, 4, 8, 16, 32, 33}, 64: {1, 2, 4, 8, 16, 32, 64}} {
		if got := steps(most); !slices.Equal(got, want) {
			t.Errorf("up to %d: %v, want %v", most, got, want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		scale
		want []float64
	}{
		{scale{from: 1, to: 16, counts: true}, []float64{1, 5, 10, 15}},
		{scale{from: 1, to: 2, counts: true}, []float64{1, 2}},
		{scale{from: 1, to: 30, counts: true}, []float64{1, 5, 10, 15, 20, 25, 30}},
		{scale{from: 1, to: 100, counts: true, log: true}, []float64{1, 2, 4, 8, 16, 32, 64, 100}},
		{scale{from: -0.3, to: 1}, []float64{-0.2, 0, 0.2, 0.4, 0.6, 0.8, 1}},
	} {
		got := c.ticks(7)
		for i := range got {
			got[i] = rounded(got[i])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.scale, got, c.want)
		}
	}
}
