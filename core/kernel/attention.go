package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/token"
)

// Attention computes softmax(q·kᵀ/√Dim)·v for the fused, already rotated rows qkv[n, h.QKV()]
// into o[n, h.Out()], and the log of each softmax's denominator into lse[n, h.Query] for the
// gradient. A token attends to its own segment up to itself and to all of the segment's
// ancestors. The segments segs partition [0, n).
//
// The softmax is computed online over blocks of keys (Dao et al., FlashAttention, arXiv
// 2205.14135), so that no n x n matrix exists, and blocks that a token may not attend to cost
// nothing. Keys and values are packed once for all queries.
func (f Precision) Attention(o, lse, qkv []float32, segs []token.Segment, h Heads) {
	a := attend(f, qkv, segs, h)
	defer a.giveBack()
	a.pack(func(k *keyPanels, format gemm.Format, keys, values []float32, n int) {
		k.keyLines.PackAll(format, gemm.Rows(keys, h.QKV()), n, h.Dim)
		k.valueColumns.PackAll(format, gemm.Columns(values, h.QKV()), h.Dim, n)
	})
	blocks := a.queryBlocks()
	a.eachHeads(len(blocks), func(i, from, to int) {
		t := newTile(a)
		defer t.giveBack()
		t.cover(blocks[len(blocks)-1-i]) // the last blocks see most keys: start with them
		t.fetch(qkv, h.QKV(), from, to)
		for kv := from; kv < to; kv++ {
			t.load(kv)
			t.forward(o, lse)
		}
	})
}

// attention is the state that all tiles of one call share.
type attention struct {
	precision Precision
	h         Heads
	segs      []token.Segment
	qkv       []float32 // [n, QKV]

	queries [][2]int32  // blocks of queries: segment index and first token
	blocks  [][2]int32  // blocks of keys, likewise
	first   []int32     // by segment: the index of its first block
	keys    []keyPanels // [blocks][KV]
}

// keyPanels holds a block of keys of one head with their values, packed as the products read
// them. Forward and backward need different ones.
type keyPanels struct {
	keyLines, valueLines, keyColumns, valueColumns gemm.Panels
}

// keyBlock is how many keys a tile of queries processes at a time.
const keyBlock = 128

// attentions keeps packed keys and values apart from the buffers of threads: they are large,
// and only one set is needed.
var attentions memory.Pool[attention]

// attend cuts the keys of segs into blocks.
func attend(f Precision, qkv []float32, segs []token.Segment, h Heads) *attention {
	a := attentions.Get()
	a.precision, a.h, a.segs, a.qkv = f, h, segs, qkv
	a.blocks, a.first = a.blocks[:0], a.first[:0]
	for s, seg := range segs {
		a.first = append(a.first, int32(len(a.blocks)))
		for lo := seg.Start; lo < seg.End; lo += keyBlock {
			a.blocks = append(a.blocks, [2]int32{int32(s), lo})
		}
	}
	for len(a.keys) < len(a.blocks)*h.KV {
		a.keys = append(a.keys, keyPanels{})
	}
	return a
}

func (a *attention) giveBack() {
	a.segs, a.qkv = nil, nil
	attentions.Put(a)
}

// AttentionBytes returns about the most memory that attention over n tokens and its gradient
// keep: keys and values, each packed as lines and as columns.
func AttentionBytes(h Heads, n int) int64 {
	columns := (h.Dim + 31) &^ 31
	return 4 * int64(2*(h.Dim+columns)*h.KV*n)
}

// eachHeads calls f for items [0, n) and ranges [from, to) of key heads. It makes no more
// ranges than it takes to keep all threads busy, because one thread reads adjacent memory
// faster.
func (a *attention) eachHeads(n int, f func(i, from, to int)) {
	busy := 12 * Threads()
	ranges := min(a.h.KV, (busy+n-1)/max(n, 1))
	Parallel(n*ranges, func(item int) {
		i, r := item/ranges, item%ranges
		f(i, a.h.KV*r/ranges, a.h.KV*(r+1)/ranges)
	})
}

// pack packs every block: n keys and values, lines of width Dim at a distance of QKV.
func (a *attention) pack(with func(k *keyPanels, format gemm.Format, keys, values []float32, n int)) {
	a.eachHeads(len(a.blocks), func(i, from, to int) {
		lo := int(a.blocks[i][1])
		n := min(keyBlock, int(a.segs[a.blocks[i][0]].End)-lo)
		row, width := a.qkv[lo*a.h.QKV():], a.h.QKV()
		for _, first := range [2]int{a.h.key(from), a.h.value(from)} {
			gemm.Fetch(row[first:], n, (to-from)*a.h.Dim, width)
		}
		for kv := from; kv < to; kv++ {
			with(&a.keys[i*a.h.KV+kv], a.precision.format(), row[a.h.key(kv):], row[a.h.value(kv):], n)
		}
	})
}

// queryRows is about how many rows a tile of queries has, counting all heads that share a key
// head.
const queryRows = 128

// queryBlocks cuts the segments into runs of tokens. Each run is in one segment and fits one
// tile.
func (a *attention) queryBlocks() [][2]int32 {
	a.queries = a.queries[:0]
	for s, seg := range a.segs {
		for lo := seg.Start; lo < seg.End; lo += int32(a.h.blockTokens()) {
			a.queries = append(a.queries, [2]int32{int32(s), lo})
		}
	}
	return a.queries
}

// blockTokens is the number of tokens in a tile. It is even, like keyBlock, so that a pair of
// rows never straddles the first row that sees a block of keys.
func (h Heads) blockTokens() int { return max(2, queryRows/h.group()&^1) }

func (h Heads) scale() float32 { return float32(1 / math.Sqrt(float64(h.Dim))) }

func (t *tile) forward(o, lse []float32) {
	d, rest := t.h.Dim, t.rest
	out := cut(&rest, t.rows*d)  // [rows, Dim] Σ p·v
	top := cut(&rest, t.rows)    // [rows] largest score so far
	sum := cut(&rest, t.rows)    // [rows] Σ exp(score − top)
	shrink := cut(&rest, t.rows) // [rows] factor by which a new top rescales the sums so far
	clear(sum)
	for r := range top {
		top[r] = float32(math.Inf(-1))
	}
	t.eachBlock(func(k *keyPanels, k0, k1 int, first bool) {
		t.eachRun(k0, k1, func(r0, r1, keys int) {
			t.scores(&k.keyLines, r0, r1, keys)
			t.scoreRows(r0, r1, k0, k1, keys).Softmax(t.s[r0*keyBlock:], top[r0:], sum[r0:], shrink[r0:])
			if !first {
				vector.ScaleRows(out[r0*d:r1*d], shrink[r0:r1])
			}
			t.multiply(&k.valueColumns, out[r0*d:], d, gemm.Rows(t.s[r0*keyBlock:], keyBlock), r1-r0, d, keys, !first)
		})
	})
	for r, s := range sum {
		lse[t.place(r)] = top[r] + float32(math.Log(float64(s)))
		sum[r] = 1 / s
	}
	vector.ScaleRows(out, sum)
	t.copyOut(o, out, t.h.Out())
}
