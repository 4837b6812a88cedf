package gemm

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// TestShares: however threads meet that pack for each other, one after the other in
// any order or at the same time, c is bit for bit what one thread alone makes of it.
func TestShares(t *testing.T) {
	orders := map[string]func(n int, f func(i int)){
		"first to last": func(n int, f func(i int)) {
			for i := range n {
				f(i)
			}
		},
		"last to first": func(n int, f func(i int)) {
			for i := range n {
				f(n - 1 - i)
			}
		},
		"at once": func(n int, f func(i int)) {
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() { f(i) })
			}
			all.Wait()
		},
	}
	onEachPath(t, func(t *testing.T, format Format) {
		for i, s := range append(shapes, struct{ m, n, depth int }{45, 1100, 1300}) {
			rng := rand.New(rand.NewPCG(uint64(i), 6))
			p := newProduct(rng, format, s.m, s.n, s.depth, i%2 == 0, i%3 == 0, nothing)
			p.Multiply()
			want := slices.Clone(p.C)
			for name, each := range orders {
				for n := 1; n <= 5; n += 2 {
					clear(p.C)
					inShares(&p, n, each)
					for r := range p.M {
						if !slices.Equal(p.C[r*p.Stride:][:p.N], want[r*p.Stride:][:p.N]) {
							t.Fatalf("%v: %d threads, %s: row %d differs", &p, n, name, r)
						}
					}
				}
			}
		}
	})
}

// inShares computes p with n runs of rows.
func inShares(p *Product, n int, each func(n int, f func(i int))) {
	var q Panels
	var shares Shares
	for more := q.Start(p, 1<<17); more; more = q.Next(p) {
		shares.Begin(n)
		each(n, func(i int) { q.PartShared(p, p.M*i/n, p.M*(i+1)/n, &shares, i) })
	}
}
