package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/memory"
)

// Linear computes y[n,out] = x[n,in] · w[out,in]ᵀ, plus residual[n,out] unless
// it is nil. residual may be y itself. A row of y depends on its row of x only.
func (f Precision) Linear(y, x, w, residual []float32, n, in, out int) {
	f.LinearThen(Linear{Y: y, X: x, W: w, Residual: residual, N: n, In: in, Out: out}, nil)
}

// Linear holds the operands of LinearThen. They mean the same as in Precision.Linear.
type Linear struct {
	Y        []float32 // [N, Out] result
	X        []float32 // [N, In]
	W        []float32 // [Out, In]
	Residual []float32 // [N, Out], or nil

	N, In, Out int
}

// LinearThen computes a Linear and calls then for ranges [lo, hi) of rows of Y as they
// are complete, each row once. then may be nil. Where there are many rows, it runs on the
// thread that computed them, while they are in its caches: on several threads at a time.
func (f Precision) LinearThen(l Linear, then func(lo, hi int)) {
	f.multiply(gemm.Product{
		C: l.Y, Stride: l.Out, Add: l.Residual, A: gemm.Rows(l.X, l.In), B: gemm.Rows(l.W, l.In),
		M: l.N, N: l.Out, Depth: l.In, Done: then,
	})
}

// LinearInputGrad computes dx[n,in] = dy[n,out] · w[out,in], or adds it to dx.
func (f Precision) LinearInputGrad(dx, dy, w []float32, n, in, out int, accumulate bool) {
	f.product(dx, addTo(dx, accumulate), gemm.Rows(dy, out), gemm.Columns(w, in), n, in, out)
}

// LinearWeightGrad computes dw[out,in] = dy[n,out]ᵀ · x[n,in], or adds it to dw.
func (f Precision) LinearWeightGrad(dw, dy, x []float32, n, in, out int, accumulate bool) {
	f.product(dw, addTo(dw, accumulate), gemm.Columns(dy, out), gemm.Columns(x, in), out, in, n)
}

func addTo(c []float32, accumulate bool) []float32 {
	if accumulate {
		return c
	}
	return nil
}

// worthForking is how many multiply-adds justify a fork. They take a few µs.
const worthForking = 1 << 17

// product computes c[m,n] = a·bᵀ + add.
func (f Precision) product(c, add []float32, a, b gemm.Operand, m, n, depth int) {
	f.multiply(gemm.Product{C: c, Stride: n, Add: add, A: a, B: b, M: m, N: n, Depth: depth})
}

// multiply computes p in the format of f, on as many threads as p justifies.
func (f Precision) multiply(p gemm.Product) {
	p.Format = f.format()
	threads := Threads()
	if p.M*p.N*p.Depth < worthForking || threads == 1 {
		p.Multiply()
		return
	}
	s := sharedProducts.Get()
	defer sharedProducts.Put(s)
	s.product = p
	if p.M >= manyRows*threads {
		s.multiplyRuns(threads)
	} else {
		s.multiply()
		if p.Done != nil {
			parallelRows(p.M, p.N, p.Done)
		}
	}
	s.product = gemm.Product{}
}

// shared is a product whose panels all threads pack together. The panels are large, so the
// process keeps one set, apart from the buffers of threads.
type shared struct {
	product gemm.Product
	panels  gemm.Panels
	shares  gemm.Shares
}

var sharedProducts memory.Pool[shared]

// manyRows is how many rows each thread must have for multiplyRuns, which gives it a run of
// rows and all panels. With fewer rows, packing takes so long relative to multiplying that the
// threads split the panels too.
const manyRows = 512

// multiplyRuns gives each thread a run of whole tiles of rows, and a share of the panels to
// pack.
func (s *shared) multiplyRuns(threads int) {
	p := &s.product
	unit, _ := gemm.Tile(p.Format)
	tiles := (p.M + unit - 1) / unit
	for more := s.panels.Start(p, panelWords); more; more = s.panels.Next(p) {
		s.shares.Begin(threads)
		Parallel(threads, func(i int) {
			s.panels.PartShared(p, tiles*i/threads*unit, min(p.M, tiles*(i+1)/threads*unit), &s.shares, i)
		})
	}
}

// multiply packs all panels, then computes all parts.
func (s *shared) multiply() {
	for more := s.panels.Start(&s.product, panelWords); more; more = s.panels.Next(&s.product) {
		packPanels(&s.panels, s.product.B, 0, 0, s.panels.Count())
		s.multiplyPanels(&s.panels)
	}
}

func (f Precision) format() gemm.Format {
	if f == BF16 {
		return gemm.BF16
	}
	return gemm.FP32
}

// panelWords is how many words of b are packed at a time for all threads. They should stay in
// the last-level cache.
const panelWords = 1 << 20

// packPanels packs b, from line first on, into the panels [lo, hi) of q, split over the
// threads.
func packPanels(q *gemm.Panels, b gemm.Operand, first, lo, hi int) {
	count := hi - lo
	parts := min(count, Threads())
	Parallel(parts, func(i int) { q.PackFrom(b, first, lo+count*i/parts, lo+count*(i+1)/parts) })
}

// multiplyPanels computes all rows with q. It splits the rows into blocks that fit the
// second-level cache, equally many for each thread. It splits the panels too if the rows are so
// few that reading a panel takes as long as multiplying by it: each panel is then read only
// once, and widened only once if it is int8.
func (s *shared) multiplyPanels(q *gemm.Panels) {
	p, threads, panels := &s.product, Threads(), q.Count()
	most, few := 336, 32 // the most rows of a block; the fewest of a thread that does not share panels
	if p.Format == gemm.Int8 {
		few = 128
	}
	blocks := threads * ((p.M + threads*most - 1) / (threads * most))
	if p.M < threads*few {
		blocks = min(p.M, (threads+panels-1)/panels)
	}
	ranges := min(panels, (threads+blocks-1)/blocks)
	Parallel(blocks*ranges, func(item int) {
		i, r := item/ranges, item%ranges
		q.Part(p, p.M*i/blocks, p.M*(i+1)/blocks, panels*r/ranges, panels*(r+1)/ranges)
	})
}
