package optim

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// reference is AdamW in float64, written from torch.optim.AdamW's documentation, independently
// of the code under test.
type reference struct {
	beta1, beta2, eps, decay float64
	w, m, v                  []float64
	t                        int
}

func (r *reference) step(g []float32, decayed []bool, lr, clip float64) (norm float64) {
	for _, x := range g {
		norm += float64(x) * float64(x)
	}
	norm = math.Sqrt(norm)
	coef := 1.0
	if clip > 0 && clip/(norm+1e-6) < 1 {
		coef = clip / (norm + 1e-6)
	}
	r.t++
	for i, x := range g {
		x := float64(x) * coef
		if decayed[i] {
			r.w[i] -= lr * r.decay * r.w[i]
		}
		r.m[i] = r.beta1*r.m[i] + (1-r.beta1)*x
		r.v[i] = r.beta2*r.v[i] + (1-r.beta2)*x*x
		mhat := r.m[i] / (1 - math.Pow(r.beta1, float64(r.t)))
		vhat := r.v[i] / (1 - math.Pow(r.beta2, float64(r.t)))
		r.w[i] -= lr * mhat / (math.Sqrt(vhat) + r.eps)
	}
	return norm
}

const params = 300

var ranges = []Range{{0, 64}, {64, 100}, {131, 257}}

// distance runs 20 steps of an optimiser and of the reference on the same gradients. It returns
// the largest difference of a weight, relative to the farthest that this weight could move.
func distance(t *testing.T, a *AdamW, decay []Range) float64 {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	ref := &reference{beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.1,
		w: make([]float64, params), m: make([]float64, params), v: make([]float64, params)}
	w, g, decayed := make([]float32, params), make([]float32, params), make([]bool, params)
	for i := range w {
		w[i] = float32(0.1 * rng.NormFloat64()) // as large as real weights: rounding grows with them
		ref.w[i] = float64(w[i])
		decayed[i] = slices.ContainsFunc(ranges, func(r Range) bool { return r.Start <= i && i < r.End })
	}
	moved := 0.0
	for step := 1; step <= 20; step++ {
		for i := range g {
			g[i] = float32(rng.NormFloat64() * math.Pow(10, float64(step%5-3)))
		}
		lr := 0.01 / float64(step)
		moved += lr
		want := ref.step(g, decayed, lr, 1.0)
		norm, clipped, err := a.Step(w, g, decay, lr, 1.0)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(norm-want) > 1e-6*want || clipped != (want > 1) {
			t.Fatalf("step %d: norm %g clipped %t, want %g %t", step, norm, clipped, want, want > 1)
		}
	}
	worst := 0.0
	for i := range w {
		worst = max(worst, math.Abs(float64(w[i])-ref.w[i])/moved)
	}
	return worst
}

func optimiser() *AdamW {
	a := NewAdamW(params)
	a.Beta2 = 0.999 // the worst case for rounding: 1-beta2 loses four digits in float32
	return a
}

func TestAdamWMatchesReference(t *testing.T) {
	const tolerance = 5e-6
	d := distance(t, optimiser(), ranges)
	if d > tolerance {
		t.Errorf("weights differ from the float64 reference by %g of their way, want at most %g", d, tolerance)
	}
	for name, plant := range map[string]func(*AdamW) []Range{
		"decay everywhere":    func(*AdamW) []Range { return []Range{{0, params}} },
		"decay nowhere":       func(*AdamW) []Range { return nil },
		"ranges off by one":   func(*AdamW) []Range { return []Range{{0, 64}, {64, 100}, {130, 257}} },
		"beta1 0.901":         func(a *AdamW) []Range { a.Beta1 = 0.901; return ranges },
		"beta2 0.9989":        func(a *AdamW) []Range { a.Beta2 = 0.9989; return ranges },
		"correction one late": func(a *AdamW) []Range { a.Steps = 1; return ranges },
		"epsilon 1e-5":        func(a *AdamW) []Range { a.Eps = 1e-5; return ranges },
		"a moment left over":  func(a *AdamW) []Range { a.M[7] = 0.01; return ranges },
	} {
		t.Run("planted/"+name, func(t *testing.T) {
			a := optimiser()
			if d := distance(t, a, plant(a)); d <= tolerance {
				t.Errorf("distance %g passes a tolerance of %g", d, tolerance)
			}
		})
	}
}

// Kingma and Ba (arXiv 1412.6980, section 2.1): with bias correction, the first step moves every
// weight by the learning rate, whatever its gradient.
func TestFirstStepMovesByLearningRate(t *testing.T) {
	w, g := []float32{1, 1, 1, 1}, []float32{1e-3, -2, 30, -1e4}
	if _, _, err := NewAdamW(4).Step(w, g, nil, 0.125, 0); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0.875, 1.125, 0.875, 1.125} {
		if math.Abs(float64(w[i]-want)) > 1e-5 {
			t.Errorf("weight %d is %g, want %g", i, w[i], want)
		}
	}
}

func TestResumeIsBitExact(t *testing.T) {
	run := func(save bool) []float32 {
		rng := rand.New(rand.NewPCG(3, 4))
		a, w, g := NewAdamW(params), make([]float32, params), make([]float32, params)
		for step := range 10 {
			for i := range g {
				g[i] = rng.Float32() - 0.5
			}
			if save && step == 5 {
				b := NewAdamW(params)
				copy(b.M, a.M)
				copy(b.V, a.V)
				b.Steps = a.Steps
				a = b
			}
			if _, _, err := a.Step(w, g, ranges, 1e-2, 1); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}
	if !slices.Equal(run(false), run(true)) {
		t.Error("a run resumed from M, V and Steps differs from an unbroken one")
	}
}

func TestClipping(t *testing.T) {
	for _, c := range []struct {
		clip    float64
		clipped bool
	}{{0, false}, {4.9, true}, {5.1, false}, {math.Inf(1), false}} {
		norm, clipped, err := NewAdamW(2).Step(make([]float32, 2), []float32{3, 4}, nil, 1e-3, c.clip)
		if err != nil || norm != 5 || clipped != c.clipped {
			t.Errorf("clip %g: norm %g clipped %t error %v, want 5 %t", c.clip, norm, clipped, err, c.clipped)
		}
	}
}

func TestNonFiniteGradientChangesNothing(t *testing.T) {
	for name, bad := range map[string]float32{"NaN": float32(math.NaN()), "Inf": float32(math.Inf(-1))} {
		a, w, g := NewAdamW(params), make([]float32, params), make([]float32, params)
		for i := range g {
			w[i], g[i] = float32(i), 1
		}
		if _, _, err := a.Step(w, g, ranges, 1e-2, 1); err != nil {
			t.Fatal(err)
		}
		before, m, v := slices.Clone(w), slices.Clone(a.M), slices.Clone(a.V)
		g[123] = bad
		_, _, err := a.Step(w, g, ranges, 1e-2, 1)
		if !errors.Is(err, ErrNonFinite) || !strings.Contains(err.Error(), "parameter 123") {
			t.Errorf("%s: error %v, want ErrNonFinite at parameter 123", name, err)
		}
		if !slices.Equal(w, before) || !slices.Equal(a.M, m) || !slices.Equal(a.V, v) || a.Steps != 1 {
			t.Errorf("%s: the refused step changed something", name)
		}
	}
}

func TestStepRefuses(t *testing.T) {
	type call struct {
		a        *AdamW
		w, g     []float32
		decay    []Range
		lr, clip float64
	}
	for want, spoil := range map[string]func(*call){
		"3 weights":                        func(c *call) { c.w = c.w[:3] },
		"2 gradients":                      func(c *call) { c.g = c.g[:2] },
		"learning rate is NaN":             func(c *call) { c.lr = math.NaN() },
		"learning rate is -1":              func(c *call) { c.lr = -1 },
		"clipping norm is -1":              func(c *call) { c.clip = -1 },
		"beta1 is 1,":                      func(c *call) { c.a.Beta1 = 1 },
		"beta2 is 0.9999999999":            func(c *call) { c.a.Beta2 = 0.9999999999 },
		"epsilon is 0":                     func(c *call) { c.a.Eps = 0 },
		"weight decay is -0.1":             func(c *call) { c.a.Decay = -0.1 },
		"4 first and 3 second":             func(c *call) { c.a.V = c.a.V[:3] },
		"-2 steps":                         func(c *call) { c.a.Steps = -2 },
		"range 0 is [0,5)":                 func(c *call) { c.decay = []Range{{0, 5}} },
		"range 1 is [1,3), want it within": func(c *call) { c.decay = []Range{{0, 2}, {1, 3}} },
		"range 0 is [2,1)":                 func(c *call) { c.decay = []Range{{2, 1}} },
	} {
		c := &call{a: NewAdamW(4), w: make([]float32, 4), g: make([]float32, 4), lr: 1, clip: 1}
		spoil(c)
		if _, _, err := c.a.Step(c.w, c.g, c.decay, c.lr, c.clip); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
