package kernel

import (
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// Embed copies row ids[i] of e[vocab,d] to row i of y[n,d].
func Embed(y, e []float32, ids []token.ID, d int) { gather(y, e, ids, d) }

// EmbedGrad computes de[vocab,d], or adds to it: row v is the sum of the rows of dy[n,d] whose
// id is v, in order.
func EmbedGrad(de, dy []float32, ids []token.ID, d, vocab int, accumulate bool) {
	scatter(de, dy, ids, vocab, d, accumulate)
}

// Gather copies row rows[i] of x to row i of y. Rows have d elements and may be read more than
// once.
func Gather(y, x []float32, rows []int32, d int) { gather(y, x, rows, d) }

// GatherGrad sets each row of dx[n,d] to the sum of the rows of dy that Gather read from it.
func GatherGrad(dx, dy []float32, rows []int32, n, d int) {
	scatter(dx, dy, rows, n, d, false)
}

func gather[I ~int32](y, x []float32, index []I, d int) {
	parallelRows(len(index), d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(y[i*d:][:d], x[int(index[i])*d:])
		}
	})
}

// scatter adds row i of src to row index[i] of dst[n,d]. Part p owns the rows that are p modulo
// the number of parts. That spreads frequent rows, whose ids are adjacent. The terms of a row
// are added in order for any number of parts.
func scatter[I ~int32](dst, src []float32, index []I, n, d int, accumulate bool) {
	const parts = 16
	Parallel(parts, func(p int) {
		if !accumulate {
			for v := p; v < n; v += parts {
				clear(dst[v*d:][:d])
			}
		}
		for i, v := range index {
			if int(v)%parts == p {
				vector.Add(dst[int(v)*d:][:d], src[i*d:][:d])
			}
		}
	})
}
