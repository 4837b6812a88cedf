package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// The weight-decomposed form of a LowRank (DoRA, arXiv 2402.09353, equation 5). The lengths m
// of the rows of w + Scale·b·a are learnt separately:
//
//	y[:,i] = gain[i] · t[:,i], t = x·(w + Scale·b·a)ᵀ, gain[i] = m[i] / norm[i]
//
// norm[i] is the length of row i of that sum. Columns without a term have the gain 1. The
// gradient treats norm as a constant (section 4.3).

// RowSquares sets squares[i] to the squared Euclidean norm of row i of w[n,d].
func RowSquares(squares []float64, w []float32, d int) {
	parallelRows(len(squares), d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			squares[i] = vector.SumSquares(w[i*d:][:d])
		}
	})
}

// Norms sets norms[Rows] to the norms of the terms' rows of w[Out,In] + Scale·b·a, given the
// squares[Out] of the rows of w:
//
//	|w + s·b·a|² = |w|² + 2s·b·(w·aᵀ) + s²·b·(a·aᵀ)·bᵀ
//
// It does not form the sum. It computes in float32 in any precision, because a rounded norm
// would scale everything.
func (l LowRank) Norms(norms []float32, squares []float64, w, a, b []float32) {
	scratch := borrow((l.Rows() + l.Rank) * l.Rank)
	defer scratch.giveBack()
	l.each(b, func(c Columns, at int, b []float32) {
		n, a, rest := c.To-c.From, a[at*l.In:], scratch.floats
		wa, aa := cut(&rest, n*l.Rank), cut(&rest, l.Rank*l.Rank)
		FP32.Linear(wa, w[c.From*l.In:], a, nil, n, l.In, l.Rank)
		FP32.Linear(aa, a, a, nil, l.Rank, l.In, l.Rank)
		parallelRows(n, l.Rank*l.Rank, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				row := b[i*l.Rank:][:l.Rank]
				norms[i] = l.norm(squares[c.From+i], row, wa[i*l.Rank:][:l.Rank], aa)
			}
		})
		norms = norms[n:]
	})
}

// norm returns the norm of one row, given its b, its w·aᵀ, and a·aᵀ.
func (l LowRank) norm(square float64, b, wa, aa []float32) float32 {
	s := float64(l.Scale)
	for i, x := range b {
		square += 2 * s * float64(x) * float64(wa[i])
		square += s * s * float64(x) * float64(vector.Dot(b, aa[i*l.Rank:][:l.Rank]))
	}
	return float32(math.Sqrt(max(square, 0)))
}

// Gains sets gain[Out] from m[Rows] and norms[Rows]. A row of zeros gets the gain 0.
func (l LowRank) Gains(gain, m, norms []float32) {
	for i := range gain {
		gain[i] = 1
	}
	for _, c := range l.Terms {
		for i := c.From; i < c.To; i++ {
			gain[i] = 0
			if norms[0] > 0 {
				gain[i] = m[0] / norms[0]
			}
			m, norms = m[1:], norms[1:]
		}
	}
}

// Gain computes y[n,d] = t · gain for each row, plus residual[n,d] unless it is nil.
// y may be t.
func Gain(y, t, gain, residual []float32, n, d int) {
	parallelRows(n, d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := y[i*d:][:d]
			vector.Product(row, t[i*d:][:d], gain[:d], 1)
			if residual != nil {
				vector.Add(row, residual[i*d:][:d])
			}
		}
	})
}

// MagnitudeGrad computes dm[Rows], or adds to it: Σ dy·t / norm over the n rows.
func (l LowRank) MagnitudeGrad(dm, dy, t, norms []float32, n int, accumulate bool) {
	d, blocks := l.Out, (n+normBlock-1)/normBlock
	scratch := borrow((blocks + 1) * d)
	defer scratch.giveBack()
	rest := scratch.floats
	sum := cut(&rest, d)
	clear(rest)
	Parallel(blocks, func(b int) {
		for i := b * normBlock; i < min(n, (b+1)*normBlock); i++ {
			vector.AddProduct(rest[b*d:][:d], dy[i*d:][:d], t[i*d:][:d], 1)
		}
	})
	sumRows(sum, rest, false)
	for _, c := range l.Terms {
		for i := c.From; i < c.To; i++ {
			if !accumulate {
				dm[0] = 0
			}
			if norms[0] > 0 {
				dm[0] += sum[i] / norms[0]
			}
			dm, norms = dm[1:], norms[1:]
		}
	}
}
