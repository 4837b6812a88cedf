package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
)

// tile is a block of tokens [lo, hi) with all query heads of one key head. Its row r is token
// lo + r/group and query head kv·group + r%group, so that one matrix product serves the whole
// group.
type tile struct {
	*attention
	kv     int
	seg    int32
	lo, hi int
	rows   int // (hi-lo)·group

	memory  *buffer
	scratch *gemm.Scratch
	rest    []float32 // unused part of memory
	seen    []int32   // [rows] how many keys of a block each row sees
	q       []float32 // [rows, Dim]
	s       []float32 // [rows, keyBlock] scores, not yet scaled by 1/√Dim, then probabilities
}

// runRows is how many rows, or keys, are multiplied at a time where each row sees other keys.
// It divides keyBlock and fills whole panels, so that no product has a partial panel.
const runRows = 32

func newTile(a *attention) *tile {
	most := a.h.blockTokens() * a.h.group()
	b := borrow(most * (4*a.h.Dim + 2*keyBlock + 3))
	b.rows = resized(b.rows, most)
	t := &b.tile
	*t = tile{attention: a, memory: b, scratch: gemm.Borrow(), rest: b.floats, seen: b.rows}
	t.q, t.s = cut(&t.rest, most*a.h.Dim), cut(&t.rest, most*keyBlock)
	return t
}

func (t *tile) giveBack() {
	t.scratch.GiveBack()
	t.memory.giveBack()
}

// cover sets t to the tile of a block.
func (t *tile) cover(block [2]int32) {
	t.seg, t.lo = block[0], int(block[1])
	t.hi = min(t.lo+t.h.blockTokens(), int(t.segs[t.seg].End))
	t.rows = (t.hi - t.lo) * t.h.group()
}

// fetch prefetches the tile's part of x[n, width]: the query heads of the key heads
// [from, to).
func (t *tile) fetch(x []float32, width, from, to int) {
	run := t.h.group() * t.h.Dim
	gemm.Fetch(x[t.lo*width+from*run:], t.hi-t.lo, (to-from)*run, width)
}

// load sets t to the tile of a key head.
func (t *tile) load(kv int) {
	t.kv = kv
	t.copyIn(t.q, t.qkv, t.h.QKV())
}

// copyIn copies the tile's query heads from x[n, width] to dst[rows, Dim];
// copyOut does the reverse.
func (t *tile) copyIn(dst, x []float32, width int) {
	run := t.h.group() * t.h.Dim
	vector.CopyRows(dst, x[t.lo*width+t.kv*run:], t.hi-t.lo, run, run, width)
}

func (t *tile) copyOut(x, src []float32, width int) {
	run := t.h.group() * t.h.Dim
	vector.CopyRows(x[t.lo*width+t.kv*run:], src, t.hi-t.lo, run, width, run)
}

// token returns the token of row r.
func (t *tile) token(r int) int { return t.lo + r/t.h.group() }

// place returns the index of row r in an array [n, Query].
func (t *tile) place(r int) int {
	g := t.h.group()
	return t.token(r)*t.h.Query + t.kv*g + r%g
}

// eachBlock calls f for every block of keys [k0, k1) that the tile may see. It begins with the
// tile's own segment, where the last key of a row is its own token. Then come the ancestors,
// whose keys all rows see. The first block has a key for every row.
func (t *tile) eachBlock(f func(k *keyPanels, k0, k1 int, first bool)) {
	end, first := t.hi, true
	for s := t.seg; s >= 0; s = t.segs[s].Parent {
		for i := int(t.first[s]); i < len(t.blocks) && t.blocks[i][0] == s && int(t.blocks[i][1]) < end; i++ {
			lo := int(t.blocks[i][1])
			f(&t.keys[i*t.h.KV+t.kv], lo, min(end, lo+keyBlock), first)
			first = false
		}
		if p := t.segs[s].Parent; p >= 0 {
			end = int(t.segs[p].End)
		}
	}
}

// firstRow returns the first row that sees the key k. Products with k and later keys leave out
// the rows before it.
func (t *tile) firstRow(k int) int { return max(0, k-t.lo) * t.h.group() }

// visible returns how many of the keys [k0, k1) row r may see. Ancestors precede the segment,
// so that one rule serves both.
func (t *tile) visible(r, k0, k1 int) int { return max(0, min(k1, t.token(r)+1)-k0) }

// eachRun calls f for runs of rows [r0, r1) that together cover all rows that see any of the
// keys [k0, k1). A run sees no keys beyond the first keys of them.
func (t *tile) eachRun(k0, k1 int, f func(r0, r1, keys int)) {
	for r := t.firstRow(k0); r < t.rows; {
		end := min(t.rows, r+runRows)
		if t.visible(r, k0, k1) == k1-k0 {
			end = t.rows // this row sees all keys, and so do the rows after it
		}
		f(r, end, t.visible(end-1, k0, k1))
		r = end
	}
}

// scoreRows describes the rows [r0, r1) of s for n keys of the block [k0, k1).
func (t *tile) scoreRows(r0, r1, k0, k1, n int) vector.Scores {
	seen := t.seen[:r1-r0]
	for i := range seen {
		seen[i] = int32(t.visible(r0+i, k0, k1))
	}
	return vector.Scores{Stride: keyBlock, N: n, Visible: seen, Scale: t.h.scale()}
}

// scores computes s[r0:r1, keys] = q·kᵀ.
func (t *tile) scores(keyLines *gemm.Panels, r0, r1, keys int) {
	d := t.h.Dim
	t.multiply(keyLines, t.s[r0*keyBlock:], keyBlock, gemm.Rows(t.q[r0*d:], d), r1-r0, keys, d, false)
}

// multiply computes c[m,n] = a·bᵀ with the first n lines and depths of b, or adds it to c.
func (t *tile) multiply(b *gemm.Panels, c []float32, stride int, a gemm.Operand, m, n, depth int, accumulate bool) {
	b.Multiply(t.scratch, gemm.Product{
		Format: t.precision.format(), C: c, Stride: stride, Add: addTo(c, accumulate), A: a, M: m, N: n, Depth: depth,
	})
}
