package graph

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"
)

// Expr is an arithmetic expression over nodes: a loss is written in it as the paper
// writes it. Vectors are combined element by element; a constant or a scalar is combined
// with every element. Gorgonia derives the gradient.
//
// An Expr carries the first error that occurred while it was built, so that a formula
// needs no check after each step. Node returns it.
type Expr struct {
	node *G.Node
	err  error
}

// NewExpr returns the expression that consists of a node alone.
func NewExpr(n *G.Node) Expr { return Expr{node: n} }

// Const returns a constant.
func Const(c float64) Expr { return Expr{node: G.NewConstant(float32(c))} }

// IsZero reports whether nothing has been built.
func (x Expr) IsZero() bool { return x.node == nil && x.err == nil }

// Node returns the node that computes x, or the first error in building it.
func (x Expr) Node() (*G.Node, error) {
	if x.IsZero() {
		return nil, errors.New("the expression is empty: start from an output of the model or from Const")
	}
	return x.node, x.err
}

// Apply returns op of x. Errors name the operation.
func (x Expr) Apply(name string, op func(x *G.Node) (*G.Node, error)) Expr {
	node, err := x.Node()
	if err != nil {
		return Expr{err: err}
	}
	if node, err = op(node); err != nil {
		return Expr{err: fmt.Errorf("%s of shape %v: %w", name, x.node.Shape(), err)}
	}
	return Expr{node: node}
}

// combine returns op of x and y. Two vectors must have one length: Gorgonia would only
// notice when it runs the graph.
func (x Expr) combine(name string, y Expr, op func(x, y *G.Node) (*G.Node, error)) Expr {
	other, err := y.Node()
	return x.Apply(name, func(node *G.Node) (*G.Node, error) {
		if err != nil {
			return nil, err
		}
		if !node.IsScalar() && !other.IsScalar() && !node.Shape().Eq(other.Shape()) {
			return nil, fmt.Errorf("the other operand has shape %v", other.Shape())
		}
		return op(node, other)
	})
}

// Add returns x + y.
func (x Expr) Add(y Expr) Expr { return x.combine("Add", y, G.Add) }

// Sub returns x - y.
func (x Expr) Sub(y Expr) Expr { return x.combine("Sub", y, G.Sub) }

// Mul returns x * y, element by element.
func (x Expr) Mul(y Expr) Expr { return x.combine("Mul", y, G.HadamardProd) }

// Div returns x / y, element by element.
func (x Expr) Div(y Expr) Expr { return x.combine("Div", y, G.HadamardDiv) }

// Scale returns c * x.
func (x Expr) Scale(c float64) Expr { return x.Mul(Const(c)) }

// Neg returns -x.
func (x Expr) Neg() Expr { return x.Apply("Neg", G.Neg) }

// Square returns x².
func (x Expr) Square() Expr { return x.Apply("Square", G.Square) }

// Abs returns |x|. Its derivative at 0 is 1.
func (x Expr) Abs() Expr { return x.Apply("Abs", G.Abs) }

// Relu returns max(x, 0). Its derivative at 0 is 1.
func (x Expr) Relu() Expr { return x.Apply("Relu", G.Rectify) }

// Max returns the larger of x and y, as y + Relu(x - y).
func (x Expr) Max(y Expr) Expr { return x.Sub(y).Relu().Add(y) }

// Exp returns e to the power of x. It overflows float32 above 88: bring a loss into a
// form whose exponents are bounded above, with LogSigmoid for instance.
func (x Expr) Exp() Expr { return x.Apply("Exp", G.Exp) }

// Log returns the natural logarithm of x, which must be positive in the rows beyond the
// batch too, where inputs are 0: prefer LogSigmoid to Sigmoid().Log().
func (x Expr) Log() Expr { return x.Apply("Log", G.Log) }

// Sigmoid returns 1 / (1 + exp(-x)).
func (x Expr) Sigmoid() Expr { return x.Apply("Sigmoid", G.Sigmoid) }

// Softplus returns log(1 + exp(x)), without overflow for any x.
func (x Expr) Softplus() Expr { return x.Apply("Softplus", G.Softplus) }

// LogSigmoid returns log sigmoid(x), without overflow for any x.
func (x Expr) LogSigmoid() Expr { return x.NegLogSigmoid().Neg() }

// NegLogSigmoid returns -log sigmoid(x), without overflow for any x.
func (x Expr) NegLogSigmoid() Expr { return x.Neg().Softplus() }

// Sum returns the sum of the elements of x, a scalar.
func (x Expr) Sum() Expr {
	return x.Apply("Sum", func(x *G.Node) (*G.Node, error) { return G.Sum(x) })
}

// Dot returns the sum of x*y over two vectors: a weighted sum, if one holds weights.
func (x Expr) Dot(y Expr) Expr { return x.Mul(y).Sum() }
