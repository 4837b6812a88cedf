package kernel

import "github.com/herd-lm/herd/core/kernel/gemm"

// Linear computes y[n,out] = x[n,in] · w[out,in]ᵀ, plus residual[n,out] unless
// it is nil. residual may be y itself. A row of y depends on its row of x only.
func (f Precision) Linear(y, x, w, residual []float32, n, in, out int) {
	p := product{precision: f, c: y, a: gemm.Rows(x, in), b: gemm.Rows(w, in), m: n, n: out, depth: in}
	if residual != nil {
		p.accumulate = true
		if n*out > 0 && &residual[0] != &y[0] {
			p.initial = residual
		}
	}
	p.run()
}

// LinearInputGrad computes dx[n,in] = dy[n,out] · w[out,in], or adds it to dx.
func (f Precision) LinearInputGrad(dx, dy, w []float32, n, in, out int, accumulate bool) {
	p := product{precision: f, c: dx, a: gemm.Rows(dy, out), b: gemm.Columns(w, in), m: n, n: in, depth: out, accumulate: accumulate}
	p.run()
}

// LinearWeightGrad computes dw[out,in] = dy[n,out]ᵀ · x[n,in], or adds it to dw.
func (f Precision) LinearWeightGrad(dw, dy, x []float32, n, in, out int, accumulate bool) {
	p := product{precision: f, c: dw, a: gemm.Columns(dy, out), b: gemm.Columns(x, in), m: out, n: in, depth: n, accumulate: accumulate}
	p.run()
}

// product is one matrix product c[m,n] = a·bᵀ to be split over threads.
type product struct {
	precision   Precision
	c           []float32
	a, b        gemm.Operand
	m, n, depth int
	stride      int // of c; n if 0
	accumulate  bool
	initial     []float32 // copied to c first; [m,n]
}

// run splits the longer side of c, one run of whole tiles per thread: a shorter
// run would pack the other operand more often.
func (p *product) run() {
	if p.stride == 0 {
		p.stride = p.n
	}
	const worthForking = 1 << 17 // multiply-adds, some µs
	if p.m*p.n*p.depth < worthForking || Threads() == 1 {
		p.part(0, p.m, 0, p.n)
		return
	}
	p.fork()
}

func (p *product) fork() {
	mr, nr := gemm.Tile()
	length, unit := p.m, mr
	if p.n > p.m {
		length, unit = p.n, nr
	}
	units := (length + unit - 1) / unit
	parts := min(units, Threads())
	q := *p // what a closure captures moves to the heap
	Parallel(parts, func(i int) {
		lo, hi := units*i/parts*unit, min(length, units*(i+1)/parts*unit)
		if q.n > q.m {
			q.part(0, q.m, lo, hi)
		} else {
			q.part(lo, hi, 0, q.n)
		}
	})
}

// part computes c[i0:i1, j0:j1].
func (p *product) part(i0, i1, j0, j1 int) {
	if i0 == i1 || j0 == j1 {
		return
	}
	if p.initial != nil {
		for i := i0; i < i1; i++ {
			copy(p.c[i*p.stride+j0:i*p.stride+j1], p.initial[i*p.n+j0:])
		}
	}
	a, b := p.a, p.b
	if p.depth > 0 {
		a, b = a.From(i0), b.From(j0)
	}
	gemm.Multiply(p.c[i0*p.stride+j0:], p.stride, a, b, i1-i0, j1-j0, p.depth, p.accumulate)
}
