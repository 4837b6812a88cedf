package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// RMSNorm computes y[n,d] = x · rstd · g with rstd[n] = 1/√(mean(x²) + eps) for each row of
// x[n,d]. g[d] is the learnt scale (Zhang and Sennrich, arXiv 1910.07467, section 4). RMSNorm
// keeps rstd for the gradient; rstd may be nil.
func RMSNorm(y, rstd, x, g []float32, n, d int, eps float32) {
	parallelRows(n, d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := x[i*d:][:d]
			r := float32(1 / math.Sqrt(float64(vector.Dot(row, row))/float64(d)+float64(eps)))
			if rstd != nil {
				rstd[i] = r
			}
			vector.Product(y[i*d:][:d], row, g, r)
		}
	})
}

// normBlock is the number of rows whose share of dg is summed before it is added to that of
// the other rows. It must not depend on the number of threads.
const normBlock = 32

// NormGrad holds the operands of RMSNormGrad, and its results.
type NormGrad struct {
	DY       []float32 // [N, D]
	X        []float32 // [N, D]
	G        []float32 // [D]
	RStd     []float32 // [N] as RMSNorm kept it
	Residual []float32 // [N, D] added to DX, or nil
	N, D     int

	DX []float32 // [N, D] result; it may be DY or Residual
	DG []float32 // [D] result; nil if G is frozen
	// Accumulate adds to DG instead of setting it.
	Accumulate bool
}

// RMSNormGrad computes the gradients of X and G.
func RMSNormGrad(o NormGrad) {
	blocks := (o.N + normBlock - 1) / normBlock
	var partial []float32 // [blocks, D]
	if o.DG != nil {
		s := borrow(blocks * o.D)
		defer s.giveBack()
		partial = s.floats
		clear(partial)
	}
	Parallel(blocks, func(b int) {
		for i := b * normBlock; i < min(o.N, (b+1)*normBlock); i++ {
			if partial != nil {
				vector.AddProduct(partial[b*o.D:][:o.D], o.DY[i*o.D:][:o.D], o.X[i*o.D:][:o.D], o.RStd[i])
			}
			o.row(i)
		}
	})
	if o.DG != nil {
		sumRows(o.DG[:o.D], partial, o.Accumulate)
	}
}

// row computes row i of DX.
func (o *NormGrad) row(i int) {
	at, d := i*o.D, o.D
	var add []float32
	if o.Residual != nil {
		add = o.Residual[at:][:d]
	}
	normRowGrad(o.DX[at:][:d], o.DY[at:][:d], o.X[at:][:d], o.G[:d], add, o.RStd[i])
}

// normRowGrad computes one row: dx = add + r·(dy·g − x̂·mean(dy·g·x̂)), x̂ = x·r.
func normRowGrad(dx, dy, x, g, add []float32, r float32) {
	c := vector.Dot3(dy, g, x) * r * r / float32(len(dx)) // mean(dy·g·x̂)·r
	vector.NormGrad(dx, dy, x, g, add, r, c)
}

// sumRows adds up the rows of x, each as long as sum, in order.
func sumRows(sum, x []float32, accumulate bool) {
	d := len(sum)
	if !accumulate {
		clear(sum)
	}
	for ; len(x) >= d && d > 0; x = x[d:] {
		vector.Add(sum, x)
	}
}
