package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
)

// LowRank is the shape of low-rank terms beside a product of x[n,In] that gives y[n,Out] (Hu
// et al., arXiv 2106.09685, equation 3). Each term writes to its own columns of y. Several
// projections that read one x have a term each:
//
//	y[:,columns] += Scale · (x·aᵀ)·bᵀ, a [Rank,In], b [len(columns),Rank]
//
// The matrices a of the terms lie one after another, and so do their b.
type LowRank struct {
	In, Out, Rank int
	Scale         float32
	Terms         []Columns
}

// Columns is the range [From, To) of columns of y.
type Columns struct{ From, To int }

// Width returns the number of columns of u = Scale · x·aᵀ for all terms.
func (l LowRank) Width() int { return len(l.Terms) * l.Rank }

// Rows returns the number of rows of all b.
func (l LowRank) Rows() (n int) {
	for _, c := range l.Terms {
		n += c.To - c.From
	}
	return n
}

// each calls f for every term with its columns in y, its first column in u, and its b.
func (l LowRank) each(b []float32, f func(c Columns, at int, b []float32)) {
	for i, c := range l.Terms {
		size := (c.To - c.From) * l.Rank
		f(c, i*l.Rank, b[:size])
		b = b[size:]
	}
}

// LowRank adds the terms to y[n,Out] and keeps u[n,Width] for the gradient.
func (f Precision) LowRank(y, u, x, a, b []float32, n int, l LowRank) {
	width := l.Width()
	f.Linear(u, x, a, nil, n, l.In, width)
	vector.Scale(u[:n*width], l.Scale)
	l.each(b, func(c Columns, at int, b []float32) {
		f.multiply(gemm.Product{
			C: y[c.From:], Add: y[c.From:], Stride: l.Out,
			A: gemm.Rows(u[at:], width), B: gemm.Rows(b, l.Rank), M: n, N: c.To - c.From, Depth: l.Rank,
		})
	})
}

// LowRankGrad holds the operands of the gradient of a LowRank over N rows, and its results.
type LowRankGrad struct {
	DY []float32 // [N, Out]
	X  []float32 // [N, In]
	U  []float32 // [N, Width] as LowRank kept it
	A  []float32 // [Width, In]
	B  []float32 // [Rows, Rank]
	N  int

	DX []float32 // [N, In] result: the gradient of X is added to it; nil: not computed
	DA []float32 // [Width, In] result
	DB []float32 // [Rows, Rank] result
	// Accumulate adds to DA and DB instead of setting them.
	Accumulate bool

	DU []float32 // [N, Width] scratch
}

// LowRankGrad computes the gradients of what LowRank added to y.
func (f Precision) LowRankGrad(l LowRank, g LowRankGrad) {
	width := l.Width()
	l.each(g.B, func(c Columns, at int, b []float32) {
		f.multiply(gemm.Product{
			C: g.DU[at:], Stride: width,
			A: gemm.Rows(g.DY[c.From:], l.Out), B: gemm.Columns(b, l.Rank), M: g.N, N: l.Rank, Depth: c.To - c.From,
		})
	})
	vector.Scale(g.DU[:g.N*width], l.Scale)
	l.each(g.DB, func(c Columns, at int, db []float32) {
		f.multiply(gemm.Product{
			C: db, Add: addTo(db, g.Accumulate), Stride: l.Rank,
			A: gemm.Columns(g.DY[c.From:], l.Out), B: gemm.Columns(g.U[at:], width), M: c.To - c.From, N: l.Rank, Depth: g.N,
		})
	})
	f.LinearWeightGrad(g.DA, g.DU, g.X, g.N, l.In, width, g.Accumulate)
	if g.DX != nil {
		f.LinearInputGrad(g.DX, g.DU, g.A, g.N, l.In, width, true)
	}
}
