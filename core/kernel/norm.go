package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// RMSNorm computes y[n,d] = x · rstd · g with rstd[n] = 1/√(mean(x²) + eps), for
// each row of x[n,d]; g[d] is the learnt scale (Zhang and Sennrich,
// arXiv 1910.07467, section 4). It keeps rstd for the gradient; rstd may be nil.
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

// normBlock is the number of rows whose share of dg is summed before it meets
// the other rows'. It must not depend on the number of threads.
const normBlock = 32

// RMSNormGrad computes dx[n,d], to which it adds residual[n,d] unless that is
// nil, and dg[d], which it adds to if accumulate is set. A frozen g has no dg:
// pass nil. dx may be dy or residual.
func RMSNormGrad(dx, dg, dy, x, g, rstd, residual []float32, n, d int, accumulate bool) {
	blocks := (n + normBlock - 1) / normBlock
	var partial []float32 // [blocks, d]
	if dg != nil {
		s := borrow(blocks * d)
		defer s.giveBack()
		partial = s.floats
		clear(partial)
	}
	Parallel(blocks, func(b int) {
		for i := b * normBlock; i < min(n, (b+1)*normBlock); i++ {
			at := i * d
			if partial != nil {
				vector.AddProduct(partial[b*d:][:d], dy[at:][:d], x[at:][:d], rstd[i])
			}
			var add []float32
			if residual != nil {
				add = residual[at:][:d]
			}
			normRowGrad(dx[at:][:d], dy[at:][:d], x[at:][:d], g[:d], add, rstd[i])
		}
	})
	if dg != nil {
		sumRows(dg[:d], partial, accumulate)
	}
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
