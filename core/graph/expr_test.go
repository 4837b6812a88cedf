package graph

import (
	"math"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
)

// evaluate returns the elements of f(x, y), and the derivatives of their sum by x and y.
// It runs the graph twice: Gorgonia must not have computed over its inputs.
func evaluate(t *testing.T, f func(x, y Expr) Expr, x, y []float32) (value, dx, dy []float32) {
	t.Helper()
	g := G.NewGraph()
	nodes := G.Nodes{vector(g, "x", x), vector(g, "y", y)}
	// Both operands have a derivative, which is 0 where f does not use one.
	zero := NewExpr(nodes[0]).Add(NewExpr(nodes[1])).Scale(0)
	node, err := f(NewExpr(nodes[0]), NewExpr(nodes[1])).Node()
	if err != nil {
		t.Fatal(err)
	}
	root, err := NewExpr(node).Sum().Add(zero.Sum()).Node()
	if err != nil {
		t.Fatal(err)
	}
	grads, err := G.Grad(root, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	var kept G.Value
	G.Read(node, &kept)
	m, _ := planned(t, g, nil)
	for range 2 {
		runMachine(t, m)
	}
	if v, scalar := kept.Data().(float32); scalar {
		value = []float32{v}
	} else {
		value = Floats(kept)
	}
	return value, Floats(grads[0].Value()), Floats(grads[1].Value())
}

// TestExpr holds the value and the derivatives of each operation against float64, where
// float32 overflows or rounds too.
func TestExpr(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	softplus := func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	step := func(x float64) float64 {
		if x < 0 {
			return 0
		}
		return 1
	}
	one, zero := func(x, y float64) float64 { return 1 }, func(x, y float64) float64 { return 0 }
	wide := []float32{-5000, -20, -0.75, 0.25, 3, 5000}
	for _, c := range []struct {
		name          string
		f             func(x, y Expr) Expr
		x             []float32
		value, dx, dy func(x, y float64) float64
	}{
		{"Add", func(x, y Expr) Expr { return x.Add(y) }, wide, func(x, y float64) float64 { return x + y }, one, one},
		{"Sub", func(x, y Expr) Expr { return x.Sub(y) }, wide, func(x, y float64) float64 { return x - y }, one, func(x, y float64) float64 { return -1 }},
		{"Mul", func(x, y Expr) Expr { return x.Mul(y) }, wide, func(x, y float64) float64 { return x * y }, func(x, y float64) float64 { return y }, func(x, y float64) float64 { return x }},
		{"Div", func(x, y Expr) Expr { return x.Div(y) }, wide, func(x, y float64) float64 { return x / y }, func(x, y float64) float64 { return 1 / y }, func(x, y float64) float64 { return -x / y / y }},
		{"Scale", func(x, _ Expr) Expr { return x.Scale(0.1) }, wide, func(x, y float64) float64 { return 0.1 * x }, func(x, y float64) float64 { return 0.1 }, zero},
		{"1 - x", func(x, _ Expr) Expr { return Const(1).Sub(x) }, wide, func(x, y float64) float64 { return 1 - x }, func(x, y float64) float64 { return -1 }, zero},
		{"x - 1", func(x, _ Expr) Expr { return x.Sub(Const(1)) }, wide, func(x, y float64) float64 { return x - 1 }, one, zero},
		{"2 / y", func(_, y Expr) Expr { return Const(2).Div(y) }, wide, func(x, y float64) float64 { return 2 / y }, zero, func(x, y float64) float64 { return -2 / y / y }},
		{"Neg", func(x, _ Expr) Expr { return x.Neg() }, wide, func(x, y float64) float64 { return -x }, func(x, y float64) float64 { return -1 }, zero},
		{"Square", func(x, _ Expr) Expr { return x.Square() }, wide, func(x, y float64) float64 { return x * x }, func(x, y float64) float64 { return 2 * x }, zero},
		{"Abs", func(x, _ Expr) Expr { return x.Abs() }, wide, func(x, y float64) float64 { return math.Abs(x) }, func(x, y float64) float64 { return math.Copysign(1, x) }, zero},
		{"Relu", func(x, _ Expr) Expr { return x.Relu() }, wide, func(x, y float64) float64 { return math.Max(x, 0) }, func(x, y float64) float64 { return step(x) }, zero},
		{"Max", func(x, y Expr) Expr { return x.Max(y) }, wide, math.Max, func(x, y float64) float64 { return step(x - y) }, func(x, y float64) float64 { return step(y - x) }},
		{"Exp", func(x, _ Expr) Expr { return x.Exp() }, []float32{-5000, -20, -0.75, 0.25, 3, 80}, func(x, y float64) float64 { return math.Exp(x) }, func(x, y float64) float64 { return math.Exp(x) }, zero},
		{"Log", func(x, _ Expr) Expr { return x.Log() }, []float32{1e-30, 0.001, 0.75, 1.25, 3, 5000}, func(x, y float64) float64 { return math.Log(x) }, func(x, y float64) float64 { return 1 / x }, zero},
		{"Sigmoid", func(x, _ Expr) Expr { return x.Sigmoid() }, wide, func(x, y float64) float64 { return sigmoid(x) }, func(x, y float64) float64 { return sigmoid(x) * sigmoid(-x) }, zero},
		{"Softplus", func(x, _ Expr) Expr { return x.Softplus() }, wide, func(x, y float64) float64 { return softplus(x) }, func(x, y float64) float64 { return sigmoid(x) }, zero},
		{"LogSigmoid", func(x, _ Expr) Expr { return x.LogSigmoid() }, wide, func(x, y float64) float64 { return -softplus(-x) }, func(x, y float64) float64 { return sigmoid(-x) }, zero},
		{"NegLogSigmoid", func(x, _ Expr) Expr { return x.NegLogSigmoid() }, wide, func(x, y float64) float64 { return softplus(-x) }, func(x, y float64) float64 { return -sigmoid(-x) }, zero},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := []float32{2, -0.5, 1.5, -3, 0.125, 7}
			x := append([]float32(nil), c.x...)
			value, dx, dy := evaluate(t, c.f, x, y)
			for i := range x {
				a, b := float64(c.x[i]), float64(y[i])
				for _, r := range []struct {
					name string
					got  float32
					want float64
				}{{"value", value[i], c.value(a, b)}, {"dx", dx[i], c.dx(a, b)}, {"dy", dy[i], c.dy(a, b)}} {
					if !(math.Abs(float64(r.got)-r.want) <= 1e-6+5e-6*math.Abs(r.want)) {
						t.Errorf("%s of %v and %v is %v, want %v", r.name, a, b, r.got, r.want)
					}
				}
			}
		})
	}
}

func TestDot(t *testing.T) {
	x, y := []float32{1, 2, 3}, []float32{0.5, 0, -4}
	value, dx, dy := evaluate(t, Expr.Dot, x, y)
	if len(value) != 1 || value[0] != -11.5 || dx[2] != -4 || dx[1] != 0 || dy[2] != 3 {
		t.Errorf("value %v, derivatives %v and %v", value, dx, dy)
	}
}

// TestExprErrors: all later operations keep the first error, which names its operation.
func TestExprErrors(t *testing.T) {
	g := G.NewGraph()
	x, y := NewExpr(vector(g, "x", make([]float32, 3))), NewExpr(vector(g, "y", make([]float32, 4)))
	for want, e := range map[string]Expr{
		"Sub of shape (3): the other operand has shape (4)": x.Sub(y).Scale(2).Exp(),
		"Mul of shape (4): the other operand has shape (3)": Const(1).Sub(y.Dot(x)),
		"the expression is empty":                           x.Add(Expr{}),
	} {
		if _, err := e.Node(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := (Expr{}).Neg().Node(); err == nil {
		t.Error("an empty expression has a negative")
	}
}
