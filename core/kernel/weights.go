package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/token"
)

// Weights is a matrix w[out,in] that is packed once for products of one precision.
// Precision.Linear packs w at each call.
type Weights struct {
	precision Precision
	out, in   int
	panels    gemm.Panels
}

// Pack packs w[out,in] and keeps no reference to it. out and in must be positive.
func (f Precision) Pack(w []float32, out, in int) *Weights {
	p := f.NewWeights(out, in)
	p.Set(0, w)
	return p
}

// NewWeights returns a matrix w[out,in] without values: call Set for all lines. out and in
// must be positive.
func (f Precision) NewWeights(out, in int) *Weights {
	w := &Weights{precision: f, out: out, in: in}
	w.panels.Reserve(f.packed(), out, in)
	return w
}

// PanelLines is a multiple of the number of lines that are packed together.
const PanelLines = 32

// Set packs lines into those from the given one on, which must be a multiple of PanelLines. It
// keeps no reference to lines, which must be whole panels of w, or all of its remaining lines.
func (w *Weights) Set(from int, lines []float32) {
	_, width := gemm.Tile(w.precision.packed())
	end := from + len(lines)/w.in
	packPanels(&w.panels, gemm.Rows(lines, w.in), from, from/width, (end+width-1)/width)
}

// packed returns the format of Weights.
func (f Precision) packed() gemm.Format {
	if f == INT8 {
		return gemm.Int8
	}
	return f.format()
}

// PackedBytes returns how many bytes w[out,in] takes in Weights: 4 an element, 2 for BF16 if
// the processor multiplies bfloat16s, 1.06 for INT8. out is rounded up to whole panels, of 32
// lines at most.
func (f Precision) PackedBytes(out, in int) int64 { return gemm.Bytes(f.packed(), out, in) }

// Linear computes y[n,out] = x[n,in] · w[out,in]ᵀ, plus residual[n,out] unless it is nil.
// residual may be y itself. The bits are those of Precision.Linear, except for INT8.
func (w *Weights) Linear(y, x, residual []float32, n int) {
	if n == 0 {
		return
	}
	s := sharedProducts.Get()
	defer sharedProducts.Put(s)
	s.product = gemm.Product{
		Format: w.precision.packed(), C: y, Stride: w.out, Add: residual, A: gemm.Rows(x, w.in),
		M: n, N: w.out, Depth: w.in,
	}
	if n*w.in*w.out < worthForking {
		w.panels.Part(&s.product, 0, n, 0, w.panels.Count())
	} else {
		s.multiplyPanels(&w.panels)
	}
	s.product = gemm.Product{}
}

// Embed sets row i of y[n,in] to line ids[i] of a matrix in INT8.
func (w *Weights) Embed(y []float32, ids []token.ID) {
	parallelRows(len(ids), w.in, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			w.panels.Line(y[i*w.in:][:w.in], int(ids[i]))
		}
	})
}
