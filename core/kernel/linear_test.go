package kernel

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// TestLinearThen: LinearThen reports all rows, each once, with the values of Linear, whether
// threads share the panels or each has its own rows.
func TestLinearThen(t *testing.T) {
	defer SetThreads(0)
	const in, out = 40, 70
	for _, n := range []int{0, 1, 30, 300, 1700} {
		rng := rand.New(rand.NewPCG(uint64(n), 9))
		x, w, residual := random(rng, n*in), random(rng, out*in), random(rng, n*out)
		want := make([]float32, n*out)
		FP32.Linear(want, x, w, residual, n, in, out)
		for threads := 1; threads <= 3; threads++ {
			SetThreads(threads)
			var lock sync.Mutex
			told, y := make([]int, n), make([]float32, n*out)
			FP32.LinearThen(Linear{Y: y, X: x, W: w, Residual: residual, N: n, In: in, Out: out}, func(lo, hi int) {
				lock.Lock()
				defer lock.Unlock()
				for r := lo; r < hi; r++ {
					told[r]++
					if !slices.Equal(y[r*out:][:out], want[r*out:][:out]) {
						t.Errorf("%d rows, %d threads: row %d is not complete", n, threads, r)
					}
				}
			})
			if r := slices.IndexFunc(told, func(times int) bool { return times != 1 }); r >= 0 {
				t.Errorf("%d rows, %d threads: told of row %d %d times", n, threads, r, told[r])
			}
		}
	}
}
