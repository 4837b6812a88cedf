package gemm

import "sync/atomic"

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
