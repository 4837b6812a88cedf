package vector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/herd-lm/herd/core/kernel/cpu"
)

// lengths have whole vectors, ragged ends, both, and neither.
var lengths = []int{0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 100, 257}

func onEachLevel(t *testing.T, f func(t *testing.T)) {
	before := selected
	defer func() { selected = before }()
	for l, r := range levels {
		if cpu.Level(l) <= cpu.Best() {
			selected = r
			t.Run(cpu.Level(l).String(), f)
		}
	}
}

func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(2 * rng.NormFloat64())
	}
	return x
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// routine is one function of the package beside its definition. run gets as many
// slices as arguments says, writes to the first outputs of them, and returns the
// sum if there is one. define gets element i of each before the call and returns
// what the outputs must be, or the term of the sum.
type routine struct {
	name               string
	arguments, outputs int
	run                func(x [][]float32) (sum float64, isSum bool)
	define             func(x []float64) []float64
}

const a, b, sign = 0.75, -0.3, -1

func nothing(f func(x [][]float32)) func(x [][]float32) (float64, bool) {
	return func(x [][]float32) (float64, bool) { f(x); return 0, false }
}

var adamStep = Adam{Keep: .99, Step: .1, Root: 1.5, Eps: .01, New1: .1, Keep2: .95, Factor: .5}

var all = []routine{
	{"Dot", 2, 0, func(x [][]float32) (float64, bool) { return float64(Dot(x[0], x[1])), true },
		func(x []float64) []float64 { return []float64{x[0] * x[1]} }},
	{"Dot3", 3, 0, func(x [][]float32) (float64, bool) { return float64(Dot3(x[0], x[1], x[2])), true },
		func(x []float64) []float64 { return []float64{x[0] * x[1] * x[2]} }},
	{"SumSquares", 1, 0, func(x [][]float32) (float64, bool) { return SumSquares(x[0]), true },
		func(x []float64) []float64 { return []float64{x[0] * x[0]} }},
	{"ExpSum", 1, 1, func(x [][]float32) (float64, bool) { return float64(ExpSum(x[0], a)), true },
		func(x []float64) []float64 { return []float64{math.Exp(x[0] - a)} }},
	{"Scale", 1, 1, nothing(func(x [][]float32) { Scale(x[0], a) }),
		func(x []float64) []float64 { return []float64{x[0] * a} }},
	{"Add", 2, 1, nothing(func(x [][]float32) { Add(x[0], x[1]) }),
		func(x []float64) []float64 { return []float64{x[0] + x[1]} }},
	{"AddScaled", 2, 1, nothing(func(x [][]float32) { AddScaled(x[0], a, x[1]) }),
		func(x []float64) []float64 { return []float64{x[0] + a*x[1]} }},
	{"Product", 3, 1, nothing(func(x [][]float32) { Product(x[0], x[1], x[2], a) }),
		func(x []float64) []float64 { return []float64{x[1] * x[2] * a} }},
	{"AddProduct", 3, 1, nothing(func(x [][]float32) { AddProduct(x[0], x[1], x[2], a) }),
		func(x []float64) []float64 { return []float64{x[0] + x[1]*x[2]*a} }},
	{"NormGrad", 4, 1, nothing(func(x [][]float32) { NormGrad(x[0], x[1], x[2], x[3], nil, a, b) }),
		func(x []float64) []float64 { return []float64{a * (x[1]*x[3] - x[2]*b)} }},
	{"NormGradAdd", 5, 1, nothing(func(x [][]float32) { NormGrad(x[0], x[1], x[2], x[3], x[4], a, b) }),
		func(x []float64) []float64 { return []float64{x[4] + a*(x[1]*x[3]-x[2]*b)} }},
	{"Gate", 3, 1, nothing(func(x [][]float32) { Gate(x[0], x[1], x[2]) }),
		func(x []float64) []float64 { return []float64{x[1] * sigmoid(x[1]) * x[2]} }},
	{"GateGrad", 5, 2, nothing(func(x [][]float32) { GateGrad(x[0], x[1], x[2], x[3], x[4]) }),
		func(x []float64) []float64 {
			s := sigmoid(x[3])
			return []float64{x[2] * x[4] * (s + x[3]*s*(1-s)), x[2] * x[3] * s}
		}},
	{"Adam", 4, 3, nothing(func(x [][]float32) { // the moments come first here, for they are outputs; v must not be negative
		for i := range x[2] {
			x[2][i] = max(x[2][i], -x[2][i])
		}
		adamStep.Update(x[0], x[3], x[1], x[2])
	}), func(x []float64) []float64 {
		g := x[3] * .5
		m, v := x[1]+(g-x[1])*.1, math.Abs(x[2])*.95+g*g*.05
		return []float64{x[0]*.99 - .1*m/(1.5*math.Sqrt(v)+.01), m, v}
	}},
}

// differences runs r on n random elements and returns where it differs from its
// definition. planted is added to one input afterwards, unseen by the definition.
func (r routine) differences(n int, planted float32) (found []error) {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	var x, room [][]float32
	var before [][]float64
	for range r.arguments {
		v := random(rng, n+9)
		room, x = append(room, v), append(x, v[:n:n])
		wide := make([]float64, n+9)
		for i := range v {
			wide[i] = float64(v[i])
		}
		before = append(before, wide)
	}
	if n > 0 {
		x[r.arguments-1][n-1] += planted
	}
	got, isSum := r.run(x)
	sum, size, element := 0.0, 1.0, make([]float64, r.arguments)
	for i := range n {
		for j := range element {
			element[j] = before[j][i]
		}
		want := r.define(element)
		sum, size = sum+want[0], size+math.Abs(want[0])
		for j := range r.outputs {
			if v := float64(x[j][i]); !(math.Abs(v-want[j]) <= 2e-6*max(1, math.Abs(want[j]))) {
				found = append(found, fmt.Errorf("output %d [%d] = %v, want %v", j, i, v, want[j]))
			}
		}
	}
	if isSum && !(math.Abs(got-sum) <= 1e-6*size) {
		found = append(found, fmt.Errorf("sum %v, want %v", got, sum))
	}
	for j := range room {
		for i := n; i < n+9; i++ {
			if float64(room[j][i]) != before[j][i] {
				found = append(found, fmt.Errorf("wrote argument %d [%d] of %d", j, i, n))
			}
		}
	}
	return found
}

func TestRoutines(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		for _, r := range all {
			for _, n := range lengths {
				for _, err := range r.differences(n, 0) {
					t.Errorf("%s of %d: %v", r.name, n, err)
				}
				if n > 0 && r.differences(n, 0.01) == nil {
					t.Errorf("%s of %d: a planted error passed", r.name, n)
				}
			}
		}
	})
}

func TestMax(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		if got := Max(nil); !math.IsInf(float64(got), -1) {
			t.Errorf("of nothing: %v", got)
		}
		for _, n := range lengths {
			for at := range n {
				x := make([]float32, n, n+20)
				for i := range x {
					x[i] = -7
				}
				x[at] = -2
				if got := Max(x); got != -2 {
					t.Fatalf("%v, with -2 at %d of %d", got, at, n)
				}
			}
		}
	})
}

// TestExp goes through every binade and the edges, one by one and in vectors.
func TestExp(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		worst := 0.0
		for i := -86600; i < 88700; i += 100 {
			x := make([]float32, 100)
			for j := range x {
				x[j] = float32(i+j) / 1000
			}
			y := append([]float32(nil), x...)
			ExpSum(y, 0)
			for j := range x {
				want := math.Exp(float64(x[j]))
				worst = max(worst, math.Abs(float64(y[j])-want)/want, math.Abs(float64(Exp(x[j]))-want)/want)
			}
		}
		if worst > 2.5e-7 {
			t.Errorf("relative error %v", worst)
		}
		inf := float32(math.Inf(1))
		for _, c := range [][2]float32{{0, 1}, {-inf, 0}, {-1000, 0}, {inf, inf}, {1000, inf}, {89, inf}, {-87, 0}} {
			for _, n := range lengths[1:] {
				x := make([]float32, n)
				for i := range x {
					x[i] = c[0]
				}
				sum := ExpSum(x, 0)
				if got := Exp(c[0]); got != c[1] || x[0] != c[1] || x[n-1] != c[1] || sum != float32(n)*c[1] {
					t.Errorf("exp(%v) = %v, in a vector of %d %v, sum %v; want %v", c[0], got, n, x[n-1], sum, c[1])
				}
			}
		}
		x := []float32{nan, 0, 0, 0, 0, 0, 0, 0, 0}
		if sum := ExpSum(x, 0); sum == sum || x[0] == x[0] || x[1] != 1 || Exp(nan) == Exp(nan) {
			t.Errorf("NaN: sum %v of %v, Exp %v", sum, x, Exp(nan))
		}
	})
}

var nan = float32(math.NaN())

// TestGateExtremes: an overflow in an intermediate value does not change the result.
func TestGateExtremes(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		g := []float32{-1e4, -100, 0, 100, 1e4}
		u, y, dg, du := []float32{1, 1, 1, 1, 1}, make([]float32, 5), make([]float32, 5), make([]float32, 5)
		Gate(y, g, u)
		GateGrad(dg, du, u, g, u)
		for i, want := range [][3]float32{{0, 0, 0}, {0, 0, 0}, {0, .5, 0}, {100, 1, 100}, {1e4, 1, 1e4}} {
			got := [3]float32{y[i], dg[i], du[i]}
			for j := range got {
				if d := got[j] - want[j]; !(d < 1e-30 && d > -1e-30) {
					t.Errorf("g = %v: value and gradients %v, want %v", g[i], got, want)
				}
			}
		}
	})
}

func TestShortArgumentPanics(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("a second slice shorter than the first passed")
			}
		}()
		Dot(make([]float32, 9), make([]float32, 8))
	})
}
