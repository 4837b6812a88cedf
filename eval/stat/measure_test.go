package stat

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// TestProportion has the intervals that R's prop.test(correct = FALSE) gives.
func TestProportion(t *testing.T) {
	for _, c := range []struct {
		k         float64
		n         int
		low, high float64
	}{
		{8, 10, 0.4901625, 0.9433178},
		{0, 10, 0, 0.2775328},
		{10, 10, 0.7224672, 1},
		{50, 100, 0.4038315, 0.5961685},
		{1, 1, 0.2065493, 1},
	} {
		m := Proportion(c.k, c.n)
		if !near(m.Value, c.k/float64(c.n), 1e-12) || !near(m.Low, c.low, 1e-6) || !near(m.High, c.high, 1e-6) || m.N != c.n {
			t.Errorf("%g of %d: %v, want an interval of [%g, %g]", c.k, c.n, m, c.low, c.high)
		}
	}
	if m := Proportion(0, 0); !math.IsNaN(m.Value) || m.Low != 0 || m.High != 1 {
		t.Errorf("none of none: %v", m)
	}
}

// TestProportionInverts: Wilson's interval ends at the proportions from which k
// of n lies z standard errors away.
func TestProportionInverts(t *testing.T) {
	for n := 1; n < 60; n += 7 {
		for k := 0.0; k <= float64(n); k += 0.5 {
			m := Proportion(k, n)
			for _, end := range []float64{m.Low, m.High} {
				if end == 0 || end == 1 {
					continue
				}
				errors := math.Abs(m.Value-end) / math.Sqrt(end*(1-end)/float64(n))
				if !near(errors, z, 1e-6) {
					t.Errorf("%g of %d: the end %g is %g standard errors away", k, n, end, errors)
				}
			}
			if m.Low > m.Value || m.High < m.Value {
				t.Errorf("%g of %d: %v", k, n, m)
			}
		}
	}
}

func TestMean(t *testing.T) {
	m := Mean([]float64{1, 2, 3, 4}) // standard deviation sqrt(5/3)
	half := 1.959964 * math.Sqrt(5./3/4)
	if !near(m.Value, 2.5, 1e-12) || !near(m.Low, 2.5-half, 1e-6) || !near(m.High, 2.5+half, 1e-6) || m.N != 4 {
		t.Errorf("mean %v", m)
	}
	if m := Mean([]float64{7}); m.Value != 7 || !math.IsNaN(m.Low) || !math.IsNaN(m.High) {
		t.Errorf("of a single value: %v, its interval is not known", m)
	}
	if m := Mean(nil); !math.IsNaN(m.Value) || m.N != 0 {
		t.Errorf("of nothing: %v", m)
	}
}

func TestRatio(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const n = 400
	a, b := make([]float64, n), make([]float64, n)
	for i := range a {
		b[i] = 1 + 9*rng.Float64()
		a[i] = 2*b[i] + rng.NormFloat64()
	}
	m := Ratio(a, b)

	var above, below float64
	for i := range a {
		above, below = above+a[i], below+b[i]
	}
	if !near(m.Value, above/below, 1e-12) || m.N != n {
		t.Errorf("ratio %v, want %v", m, above/below)
	}
	// The delta method: the standard error of a ratio of means.
	var squares float64
	for i := range a {
		squares += (a[i] - m.Value*b[i]) * (a[i] - m.Value*b[i])
	}
	half := z * math.Sqrt(squares) / below
	for name, got := range map[string]float64{"low": m.Value - m.Low, "high": m.High - m.Value} {
		if got < half*0.85 || got > half*1.15 {
			t.Errorf("%s end is %g away, the delta method says %g", name, got, half)
		}
	}
	if again := Ratio(a, b); again != m {
		t.Errorf("another call gives %v, the first %v", again, m)
	}
	if m := Ratio([]float64{2, 4, 6}, []float64{1, 2, 3}); m.Value != 2 || m.Low != 2 || m.High != 2 {
		t.Errorf("equal ratios: %v", m)
	}
	if m := Ratio([]float64{3}, []float64{2}); m.Value != 1.5 || !math.IsNaN(m.Low) {
		t.Errorf("a single pair: %v", m)
	}
	if m := Ratio(nil, nil); !math.IsNaN(m.Value) {
		t.Errorf("nothing: %v", m)
	}
}

// TestMeasureJSON: no number comes back changed, and none that is not known gets
// into a file.
func TestMeasureJSON(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		m    Measure
		want string
	}{
		{Measure{0.5, 0.25, 0.75, 8}, `{"value":0.5,"low":0.25,"high":0.75,"n":8}`},
		{Measure{1e-9, -3, 1e30, 1}, `{"value":1e-9,"low":-3,"high":1e+30,"n":1}`},
		{Proportion(0, 0), `{"value":null,"low":0,"high":1,"n":0}`},
		{Measure{nan, -inf, inf, 2}, `{"value":null,"low":null,"high":null,"n":2}`},
	} {
		b, err := json.Marshal(map[string]Measure{"x": c.m})
		if err != nil || string(b) != `{"x":`+c.want+`}` {
			t.Errorf("%v: %s, error %v, want %s", c.m, b, err, c.want)
		}
		var back map[string]Measure
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		same := func(a, b float64) bool { return a == b || !Known(a) && math.IsNaN(b) }
		if x := back["x"]; !same(c.m.Value, x.Value) || !same(c.m.Low, x.Low) || !same(c.m.High, x.High) || c.m.N != x.N {
			t.Errorf("%v came back as %v", c.m, x)
		}
	}
	var m Measure
	if err := json.Unmarshal([]byte(`{"value":"high"}`), &m); err == nil {
		t.Error("a value that is a word passes")
	}
}
