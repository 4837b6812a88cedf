package kernel

import (
	"time"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// measureFor is how long a measurement takes.
const measureFor = 100 * time.Millisecond

// Peak measures how many floating-point operations per second matrix products reach on all
// threads when their factors stay in the caches, as a reference for the products of a model.
// It takes about 0.1 s.
func (f Precision) Peak() float64 {
	const out, in = 512, 256
	n := 336 * Threads()
	x, w, y := ramp(n*in), ramp(out*in), make([]float32, n*out)
	return best(2*float64(n)*out*in, func() { f.Linear(y, x, w, nil, n, in, out) })
}

// Bandwidth measures how many bytes per second all threads together read and write in memory,
// with y += x over two arrays that are larger than most caches: 64 MB, and 8 MB for every
// thread. It takes about 0.2 s.
func Bandwidth() float64 {
	n := 8<<20 + Threads()<<20
	x, y := ramp(n), make([]float32, n)
	return best(12*float64(n), func() {
		parallelRows(n, 1, func(lo, hi int) { vector.Add(y[lo:hi], x[lo:hi]) })
	})
}

// ramp returns n numbers whose sums of products neither overflow nor vanish.
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%64-32) / 64
	}
	return x
}

// best returns the highest rate of work, in work per second, of a call of f. Other load on the
// machine can only make a call slower.
func best(work float64, f func()) float64 {
	f() // the first call touches new memory
	least := time.Duration(1<<63 - 1)
	for began := time.Now(); time.Since(began) < measureFor; {
		call := time.Now()
		f()
		least = min(least, time.Since(call))
	}
	return work / max(least, 1).Seconds()
}
