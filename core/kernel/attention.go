package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// Attention computes softmax(q·kᵀ/√Dim)·v for the fused, already rotated rows
// qkv[n, h.QKV()] into o[n, h.Out()], and the log of each softmax's denominator
// into lse[n, h.Query] for the gradient. A token attends to its own segment up
// to itself and to the whole of the segment's ancestors; segs partition [0,n).
//
// The softmax is taken online over blocks of keys (Dao et al., FlashAttention,
// arXiv 2205.14135), so that no n x n matrix exists, and blocks that may not be
// attended cost nothing.
func (f Precision) Attention(o, lse, qkv []float32, segs []token.Segment, h Heads, n int) {
	b := borrow(0)
	defer b.giveBack()
	blocks := queryBlocks(b, segs, h)
	Parallel(len(blocks)*h.KV, func(i int) {
		block := blocks[len(blocks)-1-i/h.KV] // the last ones see most keys: start with them
		t := newTile(f, h, i%h.KV, qkv, segs, block)
		defer t.memory.giveBack()
		t.forward(o, lse)
	})
}

// keyBlock is the number of keys that a tile of queries meets at a time.
const keyBlock = 128

// queryRows is about how many rows, of all heads that share a key head, are in
// a tile of queries: the more, the less often keys and values are packed.
const queryRows = 256

// queryBlocks cuts segs into runs of tokens, each within one segment and small
// enough for one tile: a list of pairs, segment index and first token.
func queryBlocks(b *buffer, segs []token.Segment, h Heads) [][2]int32 {
	b.blocks = b.blocks[:0]
	for s, seg := range segs {
		for lo := seg.Start; lo < seg.End; lo += int32(h.blockTokens()) {
			b.blocks = append(b.blocks, [2]int32{int32(s), lo})
		}
	}
	return b.blocks
}

func (h Heads) blockTokens() int { return max(4, queryRows/h.group()) }

// tile is a block of tokens [lo, hi) with all query heads of one key head. Its
// row r is token lo + r/group and query head kv·group + r%group, so that one
// matrix product serves the whole group.
type tile struct {
	precision Precision
	h         Heads
	kv        int
	segs      []token.Segment
	seg       int32
	lo, hi    int
	rows      int       // (hi-lo)·group
	qkv       []float32 // [n, QKV]

	memory *buffer
	rest   []float32 // of memory
	q      []float32 // [rows, Dim], already scaled by 1/√Dim
	s      []float32 // [rows, keyBlock] scores, then probabilities
}

func newTile(f Precision, h Heads, kv int, qkv []float32, segs []token.Segment, block [2]int32) *tile {
	most := h.blockTokens() * h.group()
	b := borrow(most * (4*h.Dim + 2*keyBlock + 2))
	t := &b.tile
	*t = tile{precision: f, h: h, kv: kv, qkv: qkv, segs: segs, memory: b, rest: b.floats}
	t.q, t.s = cut(&t.rest, most*h.Dim), cut(&t.rest, most*keyBlock)
	t.load(block)
	return t
}

// load makes t the tile of another block.
func (t *tile) load(block [2]int32) {
	t.seg, t.lo = block[0], int(block[1])
	t.hi = min(t.lo+t.h.blockTokens(), int(t.segs[t.seg].End))
	t.rows = (t.hi - t.lo) * t.h.group()
	t.copyIn(t.q, t.qkv, t.h.QKV())
	vector.Scale(t.q[:t.rows*t.h.Dim], t.h.scale())
}

func (h Heads) scale() float32 { return float32(1 / math.Sqrt(float64(h.Dim))) }

// copyIn copies the tile's query heads from x[n, width] to dst[rows, Dim];
// copyOut does the reverse.
func (t *tile) copyIn(dst, x []float32, width int) {
	run := t.h.group() * t.h.Dim
	for i := t.lo; i < t.hi; i++ {
		copy(dst[(i-t.lo)*run:][:run], x[i*width+t.kv*run:])
	}
}

func (t *tile) copyOut(x, src []float32, width int) {
	run := t.h.group() * t.h.Dim
	for i := t.lo; i < t.hi; i++ {
		copy(x[i*width+t.kv*run:], src[(i-t.lo)*run:][:run])
	}
}

// token returns the token of row r.
func (t *tile) token(r int) int { return t.lo + r/t.h.group() }

// place returns where row r's entry in an array [n, Query] is.
func (t *tile) place(r int) int {
	g := t.h.group()
	return t.token(r)*t.h.Query + t.kv*g + r%g
}

// keys calls f for every block of keys [k0, k1) that the tile may see: its own
// segment first, where a row's last key is its own token, then the ancestors,
// where all are seen. The first block has a key for every row.
func (t *tile) keys(f func(k0, k1 int)) {
	end := t.hi
	for s := t.seg; s >= 0; s = t.segs[s].Parent {
		for k := int(t.segs[s].Start); k < end; k += keyBlock {
			f(k, min(end, k+keyBlock))
		}
		if p := t.segs[s].Parent; p >= 0 {
			end = int(t.segs[p].End)
		}
	}
}

// visible returns how many of the keys [k0, k1) row r may see. Ancestors lie
// before the segment, so that one rule serves both.
func (t *tile) visible(r, k0, k1 int) int { return max(0, min(k1, t.token(r)+1)-k0) }

// key and value are the heads of tokens k and later, as lines of width Dim that
// are QKV apart.
func (t *tile) key(k int) []float32   { return t.qkv[k*t.h.QKV()+t.h.key(t.kv):] }
func (t *tile) value(k int) []float32 { return t.qkv[k*t.h.QKV()+t.h.value(t.kv):] }

// first returns the first row that sees the key k, or rather its token: those
// before it take no part in products with k and later keys.
func (t *tile) first(k int) int { return max(0, k-t.lo) * t.h.group() }

// scores computes s[rows, keyBlock] = q · kᵀ for the keys [k0, k1), from row r on.
func (t *tile) scores(r, k0, k1 int) {
	d := t.h.Dim
	t.multiply(t.s[r*keyBlock:], keyBlock, gemm.Rows(t.q[r*d:], d), gemm.Rows(t.key(k0), t.h.QKV()), t.rows-r, k1-k0, d, false)
}

func (t *tile) forward(o, lse []float32) {
	d := t.h.Dim
	out := cut(&t.rest, t.rows*d) // [rows, Dim] Σ p·v
	top := cut(&t.rest, t.rows)   // [rows] largest score so far
	sum := cut(&t.rest, t.rows)   // [rows] Σ exp(score − top)
	clear(out)
	clear(sum)
	for r := range top {
		top[r] = float32(math.Inf(-1))
	}
	t.keys(func(k0, k1 int) {
		from := t.first(k0)
		t.scores(from, k0, k1)
		for r := from; r < t.rows; r++ {
			t.softmax(r, t.visible(r, k0, k1), k1-k0, out[r*d:][:d], &top[r], &sum[r])
		}
		t.multiply(out[from*d:], d, gemm.Rows(t.s[from*keyBlock:], keyBlock), gemm.Columns(t.value(k0), t.h.QKV()), t.rows-from, d, k1-k0, true)
	})
	for r := range t.rows {
		vector.Scale(out[r*d:][:d], 1/sum[r])
		lse[t.place(r)] = top[r] + float32(math.Log(float64(sum[r])))
	}
	t.copyOut(o, out, t.h.Out())
}

// multiply is a product on the tile's own thread: c[m,n] = a·bᵀ, or added to c.
func (t *tile) multiply(c []float32, stride int, a, b gemm.Operand, m, n, depth int, accumulate bool) {
	p := gemm.Product{Format: t.precision.format(), C: c, Stride: stride, Add: addTo(c, accumulate), A: a, B: b, M: m, N: n, Depth: depth}
	p.Multiply()
}

// softmax turns row r's scores into exp(score − top), and 0 beyond the visible
// ones. Where the block has a new largest score, what was summed shrinks.
func (t *tile) softmax(r, visible, keys int, out []float32, top, sum *float32) {
	s := t.s[r*keyBlock:][:keys]
	if m := vector.Max(s[:visible]); m > *top {
		shrink := vector.Exp(*top - m)
		*sum *= shrink
		vector.Scale(out, shrink)
		*top = m
	}
	*sum += vector.ExpSum(s[:visible], *top)
	clear(s[visible:])
}
