package kernel

import "github.com/herd-lm/herd/core/kernel/gemm"

// Weights is a matrix w[out,in] that is packed for products of one precision:
// what Precision.Linear does to w at each call is done once. An element takes
// PackedSize bytes; out is filled up to whole panels, of 32 lines at most.
type Weights struct {
	precision Precision
	out, in   int
	panels    gemm.Panels
}

// Pack packs w[out,in] and keeps nothing of it. out and in are positive.
func (f Precision) Pack(w []float32, out, in int) *Weights {
	p := &Weights{precision: f, out: out, in: in}
	p.panels.Reserve(f.format(), out, in)
	packPanels(&p.panels, gemm.Rows(w, in))
	return p
}

// PackedSize returns how many bytes an element takes in Weights: 4, or 2 for
// BF16 where the processor multiplies bfloat16s.
func (f Precision) PackedSize() int { return gemm.ElementBytes(f.format()) }

// Linear computes what Precision.Linear does, with equal bits: y[n,out] =
// x[n,in] · w[out,in]ᵀ, plus residual[n,out] unless it is nil. residual may be y
// itself.
func (w *Weights) Linear(y, x, residual []float32, n int) {
	if n == 0 {
		return
	}
	s := sharedProducts.Get()
	defer sharedProducts.Put(s)
	s.product = gemm.Product{
		Format: w.precision.format(), C: y, Stride: w.out, Add: residual, A: gemm.Rows(x, w.in),
		M: n, N: w.out, Depth: w.in,
	}
	if n*w.in*w.out < worthForking {
		w.panels.Part(&s.product, 0, n, 0, w.panels.Count())
	} else {
		s.multiplyPanels(&w.panels)
	}
	s.product = gemm.Product{}
}
