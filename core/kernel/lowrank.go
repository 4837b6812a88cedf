package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
)

// LowRank is low-rank terms beside a product of x[n,In] that gives y[n,Out] (Hu et
// al., arXiv 2106.09685, equation 3). Each term writes to columns of y of its own,
// as one of several projections that read one x does:
//
//	y[:,columns] += Scale · (x·aᵀ)·bᵀ, a [Rank,In], b [len(columns),Rank]
//
// The terms' a lie one after another, and so do their b.
type LowRank struct {
	In, Out, Rank int
	Scale         float32
	Terms         []Columns
}

// Columns is the columns [From, To) of y.
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

// each calls f for every term: at is where its columns begin in u, b its matrix.
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

// LowRankGrad computes the gradients da[Width,In] and db[Rows,Rank], or adds to
// them if accumulate is set, from dy[n,Out] and the u that LowRank kept. To dx[n,In]
// it adds the gradient of x; dx may be nil. du[n,Width] is scratch.
func (f Precision) LowRankGrad(dx, da, db, du, dy, u, x, a, b []float32, n int, l LowRank, accumulate bool) {
	width := l.Width()
	l.each(b, func(c Columns, at int, b []float32) {
		f.multiply(gemm.Product{
			C: du[at:], Stride: width,
			A: gemm.Rows(dy[c.From:], l.Out), B: gemm.Columns(b, l.Rank), M: n, N: l.Rank, Depth: c.To - c.From,
		})
	})
	vector.Scale(du[:n*width], l.Scale)
	l.each(db, func(c Columns, at int, db []float32) {
		f.multiply(gemm.Product{
			C: db, Add: addTo(db, accumulate), Stride: l.Rank,
			A: gemm.Columns(dy[c.From:], l.Out), B: gemm.Columns(u[at:], width), M: c.To - c.From, N: l.Rank, Depth: n,
		})
	})
	f.LinearWeightGrad(da, du, x, n, l.In, width, accumulate)
	if dx != nil {
		f.LinearInputGrad(dx, du, a, n, l.In, width, true)
	}
}
