package gemm

import (
	"cmp"

	"github.com/herd-lm/herd/core/memory"
)

// Panels are packed lines of an operand b: for each block of depth, a panel [words][nr] for every
// nr lines. They serve any number of products with the same b. The zero Panels is ready for Start
// or Reserve.
type Panels struct {
	*path
	line, lines int // the lines [line, line+lines) of b are packed
	from, depth int // at depths [from, from+depth)
	step        int // depth of a block
	most        int // most words at a time
	skip        int // words of each panel to leave out
	tallest     int // most rows of a tile
	data        []float32
}

// Start prepares for the first lines and depths of p's b, at most most words of them, and
// reports whether there are any. Together with Next it covers all of b:
//
//	for more := q.Start(&p, most); more; more = q.Next(&p) {
//		q.Pack(p.B, ...) // all panels
//		q.Part(&p, ...)  // all rows, all panels
//	}
//
// Start completes a product of depth 0.
func (q *Panels) Start(p *Product, most int) bool {
	if p.M == 0 || p.N == 0 {
		return false
	}
	if p.Depth == 0 {
		p.initial(0, p.M)
		return false
	}
	q.path = pathFor(p.Format)
	q.tallest = q.mr
	q.step, q.most = q.depthStep(p.Depth), most
	q.line, q.from = 0, 0
	q.fit(p)
	return true
}

// Next moves on to the next depths, then lines.
func (q *Panels) Next(p *Product) bool {
	if q.from += q.depth; q.from >= p.Depth {
		q.line, q.from = q.line+q.lines, 0
	}
	if q.line >= p.N {
		return false
	}
	q.fit(p)
	return true
}

// last reports whether Next has no more lines and depths of p's b.
func (q *Panels) last(p *Product) bool { return q.from+q.depth >= p.Depth && q.line+q.lines >= p.N }

// fit decides how much to pack at a time: as many lines as fit with one block of depth, or fewer
// if that divides the rest evenly, then as many blocks as fit with those lines.
func (q *Panels) fit(p *Product) {
	block := q.wordsOf(q.step)
	left := p.N - q.line
	q.lines = min(left, Evenly((left+q.nr-1)/q.nr, max(1, q.most/block/q.nr))*q.nr)
	blocks := max(1, q.most/(block*q.padded()))
	q.depth = min(p.Depth-q.from, blocks*q.step)
	q.grow()
}

// Reserve allocates memory for all n lines of depth elements. Pack fills it once, and Part can
// then multiply by it repeatedly. Each product reads such a b from memory.
func (q *Panels) Reserve(f Format, n, depth int) {
	q.path = pathFor(f)
	q.step = q.depthStep(depth)
	q.line, q.lines, q.from, q.depth = 0, n, 0, depth
	q.tallest = cmp.Or(q.fetching, q.mr)
	q.grow()
}

// PackAll packs n lines of depth elements for a few products that follow immediately, while the
// panels are in the caches: call Multiply or Part.
func (q *Panels) PackAll(f Format, b Operand, n, depth int) {
	q.Reserve(f, n, depth)
	q.tallest = q.mr
	q.Pack(b, 0, q.Count())
}

func (q *Panels) grow() {
	if need := q.panelSize(q.depth) * q.Count(); cap(q.data) < need {
		q.data = memory.Floats(need)
	} else {
		q.data = q.data[:need]
	}
}

// Count returns the number of panels.
func (q *Panels) Count() int { return (q.lines + q.nr - 1) / q.nr }

// padded returns the number of lines, including those that fill the last panel.
func (q *Panels) padded() int { return q.Count() * q.nr }

// panel returns panel j from depth k on, which must start a block.
func (q *Panels) panel(j, k int) []float32 {
	size := q.panelSize(min(q.step, q.from+q.depth-k))
	return q.data[q.panelSize(k-q.from)*q.Count()+j*size:][q.skip*q.nr : size]
}

// Pack packs the panels [lo, hi). Several threads may pack different panels at a time.
func (q *Panels) Pack(b Operand, lo, hi int) { q.PackFrom(b, 0, lo, hi) }

// PackFrom is Pack for a b that begins with the given line.
func (q *Panels) PackFrom(b Operand, first, lo, hi int) {
	for k := q.from; k < q.from+q.depth; k += q.step {
		kc := min(q.step, q.from+q.depth-k)
		for j := lo; j < hi; j++ {
			panel, line, lines := q.panel(j, k), q.line+j*q.nr-first, min(q.nr, q.lines-j*q.nr)
			if q.steps {
				q.quantise(panel, b, line, lines, k, kc)
			} else {
				q.pack(panel, b, line, lines, k, kc, q.nr)
			}
		}
	}
}

// Part computes rows [i0, i1) of p's c in the columns of the panels [j0, j1), at the packed
// depths. c already holds the sums over earlier depths. Several threads may compute different
// parts at a time.
func (q *Panels) Part(p *Product, i0, i1, j0, j1 int) {
	s := Borrow()
	defer s.GiveBack()
	q.part(p, s, i0, i1, j0, j1)
}

func (q *Panels) part(p *Product, s *Scratch, i0, i1, j0, j1 int) {
	t := part{Product: p, path: q.path, Scratch: s, i0: i0, i1: i1, j0: j0, j1: j1}
	t.multiply(q)
}

// Multiply computes p on one thread, with the first p.N lines and p.Depth depths that PackAll
// packed. It does not use p's b.
func (q *Panels) Multiply(s *Scratch, p Product) {
	if q.row == nil && !p.A.Columns && p.M <= nearRows && p.N%q.narrow == 0 && p.Depth > 0 && p.Depth <= q.step {
		q.multiplyFew(p)
		return
	}
	s.product = p // the memory that p points to must not move to the heap
	q.part(&s.product, s, 0, p.M, 0, (p.N+q.nr-1)/q.nr)
	s.product = Product{}
}

// multiplyFew is Multiply for few rows, one block of depth and no partial tiles. Attention has
// many such products, so small that the general way would take longer than the arithmetic.
func (q *Panels) multiplyFew(p Product) {
	height := Evenly(p.M, q.tallest)
	whole := p.M / height * height
	for j := 0; j*q.nr < p.N; j++ {
		panel, cols := q.panel(j, 0), min(q.nr, p.N-j*q.nr)
		q.direct(whole/height, p.Depth, height, cols, p.A.Data, p.A.Stride, panel, p.C[j*q.nr:], addFrom(p.Add, j*q.nr), p.Stride)
		if rest := p.M - whole; rest > 0 {
			at := whole*p.Stride + j*q.nr
			q.direct(1, p.Depth, rest, cols, p.A.Data[whole*p.A.Stride:], p.A.Stride, panel, p.C[at:], addFrom(p.Add, at), p.Stride)
		}
	}
}

// Skip returns q without its first depths, an even number. q must have one block (PackAll of at
// most blockWords) and must not be Int8.
func (q *Panels) Skip(depth int) Panels {
	rest := *q
	rest.skip = q.wordsOf(depth)
	return rest
}

// Tile returns the number of lines of a and of b in a register tile. Work that is split in
// multiples of them has no partial tiles inside.
func Tile(f Format) (a, b int) {
	p := pathFor(f)
	return p.mr, p.nr
}

// Fetch prefetches rows of src, size elements each, stride apart. Prefetching all of them at
// once is faster than waiting for one after another.
func Fetch(src []float32, rows, size, stride int) {
	if f := pathFor(FP32).fetch; f != nil && rows > 0 {
		f(src, rows, size, stride)
	}
}

// Bytes returns the size in bytes of the panels of n lines of depth elements.
func Bytes(f Format, n, depth int) int64 {
	p := pathFor(f)
	return 4 * int64((n+p.nr-1)/p.nr) * int64(p.panelSize(depth))
}
