package gemm

import "sync/atomic"

// Operand is a set of lines of equal depth.
type Operand struct {
	Data    []float32
	Stride  int  // elements from one row of Data to the next
	Columns bool // line i is column i of Data, not row i
}

// Rows returns the operand whose line i is data[i*stride : i*stride+depth].
func Rows(data []float32, stride int) Operand { return Operand{data, stride, false} }

// Columns returns the operand whose line i is data[i], data[i+stride], ...
func Columns(data []float32, stride int) Operand { return Operand{data, stride, true} }

// at returns the index of depth k of line i.
func (o Operand) at(i, k int) int {
	if o.Columns {
		return k*o.Stride + i
	}
	return i*o.Stride + k
}

// Format is the type that the factors are rounded to. Sums are always float32.
type Format uint8

const (
	FP32 Format = iota
	BF16        // bfloat16, to nearest even; denormals are 0
	Int8        // b to int8 in blocks of depth (see RoundInt8); then both to bfloat16 if the processor multiplies it

	formats = iota
)

// Product is c[i,j] = Σ_k a(i,k)·b(j,k) + add[i,j] for i < M, j < N, k < Depth.
type Product struct {
	Format      Format
	A, B        Operand
	M, N, Depth int

	C      []float32 // row i starts at C[i*Stride]; must not overlap an operand
	Stride int
	Add    []float32 // rows are laid out as those of C; C itself accumulates; nil adds nothing

	// Done, unless it is nil, is called by Multiply and PartShared for rows [lo, hi) of c
	// while they are in the caches: as soon as they are complete, once for each row.
	Done  func(lo, hi int)
	first int // the index that Done knows row 0 by
}

// Rows returns the part of the product that computes rows [lo, hi) of c. Done still receives
// their indices in p.
func (p Product) Rows(lo, hi int) Product {
	p.M, p.first = hi-lo, p.first+lo
	if p.Depth > 0 {
		p.A.Data = p.A.Data[p.A.at(lo, 0):]
	}
	p.C = p.C[lo*p.Stride:]
	if p.Add != nil {
		p.Add = p.Add[lo*p.Stride:]
	}
	return p
}

// Block sizes. A panel of b (blockWords x tile width) and a block of a stay in the second-level
// cache. Depth is cut as rarely as that allows, because every cut reads and writes c once more:
// blocks of 768 words are 1 to 4% faster than blocks of 288, whose panels would fit the
// first-level cache.
const (
	blockWords  = 768
	blockLines  = 336       // most lines of a block of a
	blockA      = 336 * 288 // most words of a block of a
	panelWords  = 1 << 19   // packed words of b at a time, on one thread
	nearRows    = 32        // lines of a that the first-level cache holds, however far apart they are
	pageWords   = 1024      // words in the smallest page of memory
	tilesAtOnce = 6         // in one call
	tilesAsking = 2         // in one call, if it first prefetches a little of what comes next
)

// Multiply computes the product on one thread.
func (p Product) Multiply() {
	s := Borrow()
	defer s.GiveBack()
	s.product = p // the memory that p points to must not move to the heap
	q := &s.panels
	more := q.Start(&s.product, panelWords)
	if !more {
		p.complete(0, p.M)
	}
	for more {
		q.Pack(p.B, 0, q.Count())
		t := part{Product: &s.product, path: q.path, Scratch: s, i1: p.M, j1: q.Count(), last: q.last(&s.product)}
		t.multiply(q)
		more = q.Next(&s.product)
	}
	s.product = Product{}
}

// complete calls Done for rows [lo, hi) of c.
func (p *Product) complete(lo, hi int) {
	if p.Done != nil && lo < hi {
		p.Done(p.first+lo, p.first+hi)
	}
}

// part is rows [i0, i1) of c and panels [j0, j1) of b, at the packed depths.
type part struct {
	*Product
	*path
	*Scratch
	i0, i1, j0, j1 int
	last           bool // whether rows are complete after these depths
	from, end      int  // the packed depths
	k, kc          int  // the depths of one block
	most           int  // most rows of a block
	height         int  // rows of a tile
	inPlace        bool // panels of int8 are multiplied as they are, without widening
	next           upcoming

	shares []atomic.Uint32 // of all panels, which are packed when needed; nil: all are packed
	own    int
}

// words returns the depth in words: a word holds one float32 or two bfloat16s.
func (t *part) words() int { return t.wordsOf(t.kc) }

// add returns what is added to c: Product.Add in the first block of depth, then c itself.
func (t *part) add() []float32 {
	if t.k > 0 {
		return t.C
	}
	return t.Add
}

// multiply processes the rows in blocks, and each block at all depths before the next, so that
// the sums of a block stay in the caches until they are complete.
func (t *part) multiply(q *Panels) {
	t.from, t.end = q.from, min(t.Depth, q.from+q.depth)
	t.most = min(blockLines, blockA/q.wordsOf(q.step)/q.tallest*q.tallest)
	for i, rows := t.i0, 0; i < t.i1; i += rows {
		rows = t.blockRows(q, i)
		t.height = Evenly(rows, q.tallest)
		for t.k = t.from; t.k < t.end; t.k += t.kc {
			t.kc = min(q.step, t.end-t.k)
			t.block(q, i, rows)
		}
		if t.last {
			t.complete(i, i+rows)
		}
	}
}

// block multiplies rows [i, i+rows) at depths [k, k+kc) by all panels of q. A panel stays in the
// first-level cache while the tiles of the block read it.
func (t *part) block(q *Panels, i, rows int) {
	a := t.load(i, rows)
	t.inPlace = t.steps && rows <= t.int8Rows && a.stride > 0 && !a.columns
	t.next = t.after(i, rows, (rows+t.height-1)/t.height*(t.j1-t.j0))
	if t.shares != nil && i == t.i0 && t.k == t.from {
		t.eachShare(q, a, i, rows)
	} else {
		t.strips(q, a, i, rows, t.j0, t.j1)
	}
}

// strips multiplies a, the rows of the block, by the panels [j0, j1).
func (t *part) strips(q *Panels, a lines, i, rows, j0, j1 int) {
	for j := j0; j < j1; j++ {
		t.strip(a, t.panel(q, j), i, rows, q.line+j*t.nr, min(t.nr, q.lines-j*t.nr, t.N-q.line-j*t.nr))
	}
}

// blockRows returns how many rows the block from row i on has: whole tiles, and about as many
// as the other blocks have. A block of a few remaining rows would have to read each panel just
// the same.
func (t *part) blockRows(q *Panels, i int) int {
	rows := Evenly(t.i1-i, t.most)
	return min((rows+q.tallest-1)/q.tallest*q.tallest, t.most, t.i1-i)
}

// upcoming is the part of the next block's lines of a that is still to be prefetched: some rows
// of the operand's data with each tile of this block.
type upcoming struct {
	data               []float32
	rows, size, stride int
	each               int // rows at a time
}

// after returns what follows a block of lines [i, i+lines) that has the given number of tiles:
// more depth, or more lines. Lines that are rows need no prefetch: the processor detects
// that one follows another.
func (t *part) after(i, lines, tiles int) upcoming {
	k := t.k + t.kc
	if k >= t.end {
		i, k = i+lines, t.from
	}
	if t.fetch == nil || !t.A.Columns || i >= t.i1 {
		return upcoming{}
	}
	rows := min(t.kc, t.end-k)
	return upcoming{
		data: t.A.Data[t.A.at(i, k):], rows: rows, size: min(t.most, t.i1-i), stride: t.A.Stride,
		each: (rows + tiles - 1) / tiles,
	}
}

// bringNear prefetches a part of what comes next, given the number of tiles.
func (t *part) bringNear(tiles int) {
	u := &t.next
	if u.rows == 0 {
		return
	}
	n := min(tiles*u.each, u.rows)
	t.fetch(u.data, n, u.size, u.stride)
	if u.rows -= n; u.rows > 0 {
		u.data = u.data[n*u.stride:]
	}
}

// Evenly returns how many of n to process at a time, at most most, so that there are as few
// groups as possible and all are about equal. A tile of 14 rows and one of 2 take longer than
// two of 8.
func Evenly(n, most int) int {
	times := (n + most - 1) / most
	return (n + times - 1) / times
}

// lines are lines of a as a kernel reads them: rows of words, stride apart, or columns of such
// rows, or (stride 0) panels of at most height lines, panel r at data[r*words].
type lines struct {
	data    []float32
	stride  int
	columns bool
}

// load makes lines [i, i+rows) of a readable. They stay in place if the kernel can read them
// there. Otherwise they become rows of words, if elements must be converted, or panels.
func (t *part) load(i, rows int) lines {
	switch {
	case t.row == nil && t.readable(rows):
		return lines{t.A.Data[t.A.at(i, t.k):], t.A.Stride, t.A.Columns}
	case t.row == nil || t.A.Columns:
		t.packBlock(i, rows)
		return lines{t.a[:], 0, false}
	}
	stride := (t.words() + 15) &^ 15
	for r := range rows {
		t.row(t.a[r*stride:][:stride], t.A.Data[t.A.at(i+r, t.k):][:t.kc], t.A.Stride)
	}
	return lines{t.a[:], stride, false}
}

// readable reports whether to multiply the given number of lines of a in place. Packing them
// takes at least as long as multiplying them by a panel. But rows of memory that are a multiple
// of pages apart compete for the same few lines of all caches, and the panels would evict them
// one after another.
func (t *part) readable(rows int) bool {
	if t.A.Columns && t.across == nil {
		return false
	}
	return rows <= nearRows && !t.A.Columns || t.A.Stride%pageWords != 0
}

// packBlock packs lines [i, i+rows) of a in the layout that tiles read.
func (t *part) packBlock(i, rows int) {
	done := 0
	if t.A.Columns && t.packSide != nil && t.kc%t.perWord == 0 {
		done = rows / t.height * t.height
		t.packSide(t.a[:], t.A, i, done/t.height, t.height, t.k, t.kc)
	}
	for r := done; r < rows; r += t.height {
		n := min(t.height, rows-r)
		t.pack(t.a[r*t.words():], t.A, i+r, n, t.k, t.kc, n)
	}
}

// strip multiplies rows [i, i+rows) of the block by one panel: columns [j, j+cols) of c, some
// tiles at a time. A partial tile goes through a buffer.
func (t *part) strip(a lines, panel []float32, i, rows, j, cols int) {
	whole := (cols + t.narrow - 1) / t.narrow * t.narrow
	if t.inPlace {
		whole = t.nr // the path has no narrower tiles
	}
	most := tilesAtOnce
	if t.next.rows > 0 {
		most = tilesAsking
	}
	if cols != whole || t.inPlace {
		most = 1
	}
	for r := 0; r < rows; {
		n := min(t.height, rows-r)
		tiles := min(most, (rows-r)/n)
		at := (i+r)*t.Stride + j
		t.bringNear(tiles)
		add := addFrom(t.add(), at)
		if cols == whole {
			t.tiles(tiles, a, r, n, whole, panel, t.C[at:], add, t.Stride)
		} else {
			t.tiles(tiles, a, r, n, whole, panel, t.edge[:], nil, t.nr)
			t.storeEdge(t.C[at:], add, n, cols)
		}
		r += tiles * n
	}
}

// tiles computes tiles of n rows from row r of a block on, for cols lines of a panel.
func (t *part) tiles(tiles int, a lines, r, n, cols int, panel, c, add []float32, stride int) {
	if t.inPlace {
		t.directInt8(t.kc, n, a.data[r*a.stride:], a.stride, panel, c, add, stride)
	} else if a.columns {
		t.across(tiles, t.words(), n, cols, a.data[r:], a.stride, panel, c, add, stride)
	} else if a.stride > 0 {
		t.direct(tiles, t.words(), n, cols, a.data[r*a.stride:], a.stride, panel, c, add, stride)
	} else {
		t.packed(tiles, t.words(), n, cols, a.data[r*t.words():], panel, c, add, stride)
	}
}

// addFrom returns add from an element on, or nil if add is nil.
func addFrom(add []float32, at int) []float32 {
	if add == nil {
		return nil
	}
	return add[at:]
}

func (t *part) storeEdge(c, add []float32, rows, cols int) {
	for r := range rows {
		row := t.edge[r*t.nr:][:cols]
		if add == nil {
			copy(c[r*t.Stride:], row)
			continue
		}
		sum := c[r*t.Stride:][:cols]
		for j, v := range add[r*t.Stride:][:cols] {
			sum[j] = row[j] + v
		}
	}
}

// initial computes a product without depth: c is what is added, or 0.
func (p *Product) initial(i0, i1 int) {
	for i := i0; i < i1; i++ {
		row := p.C[i*p.Stride:][:p.N]
		if p.Add == nil {
			clear(row)
		} else {
			copy(row, p.Add[i*p.Stride:])
		}
	}
}
