package kernel

import "github.com/herd-lm/herd/core/kernel/vector"

// AddBias adds b[d] to each row of y[n,d].
func AddBias(y, b []float32, n, d int) {
	parallelRows(n, d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			vector.Add(y[i*d:][:d], b)
		}
	})
}

// BiasGrad computes db[d], or adds to it: the sum of the rows of dy[n,d], in order. Threads
// split the columns, so that their number does not change a sum.
func BiasGrad(db, dy []float32, n, d int, accumulate bool) {
	const strip = 128
	Parallel((d+strip-1)/strip, func(s int) {
		lo, hi := s*strip, min(d, (s+1)*strip)
		sum := db[lo:hi]
		if !accumulate {
			clear(sum)
		}
		for i := range n {
			vector.Add(sum, dy[i*d+lo:i*d+hi])
		}
	})
}
