package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// AttentionGrad computes dqkv[n, h.QKV()] from the gradient do[n, h.Out()] of
// the output and what Attention saw and returned. Probabilities are recomputed
// block by block.
//
// The sum over queries that a key's gradient is stays on one thread: the work is
// split by key head and by tree of segments. One long document keeps no more
// than h.KV threads busy.
func (f Precision) AttentionGrad(dqkv, do, o, lse, qkv []float32, segs []token.Segment, h Heads, n int) {
	b := borrow(0)
	defer b.giveBack()
	woods := plant(b, segs)
	Parallel(len(woods.roots)*h.KV, func(i int) {
		root, kv := woods.roots[i/h.KV], i%h.KV
		t := newTile(f, h, kv, qkv, segs, [2]int32{root, segs[root].Start})
		defer t.memory.giveBack()
		g := newTileGrad(t, dqkv, do, o, lse)
		for s := root; s >= 0; s = woods.next[s] {
			g.clearKeys(segs[s])
		}
		for s := root; s >= 0; s = woods.next[s] {
			g.segment(s)
		}
	})
}

// forest lists the trees of segments: their roots, and for each segment the
// next one of its tree, or -1.
type forest struct{ roots, next []int32 }

func plant(b *buffer, segs []token.Segment) forest {
	n := len(segs)
	b.rows = resized(b.rows, 3*n)
	f := forest{b.rows[:0:n], b.rows[n : 2*n]}
	last := b.rows[2*n:] // by root, the tree's latest segment
	for s, seg := range segs {
		f.next[s] = -1
		root := int32(s)
		for p := seg.Parent; p >= 0; p = segs[p].Parent {
			root = p
		}
		if root == int32(s) {
			f.roots = append(f.roots, root)
		} else {
			f.next[last[root]] = int32(s)
		}
		last[root] = int32(s)
	}
	return f
}

// tileGrad is the backward side of a tile.
type tileGrad struct {
	*tile
	dqkv, dout, o, lse []float32 // whole arrays

	do    []float32 // [rows, Dim] gradient of the tile's output
	dq    []float32 // [rows, Dim]
	ds    []float32 // [rows, keyBlock] gradient of the probabilities, then of the scores
	delta []float32 // [rows] do·o, which is Σ p·dp
}

func newTileGrad(t *tile, dqkv, do, o, lse []float32) tileGrad {
	most := t.h.blockTokens() * t.h.group()
	g := tileGrad{tile: t, dqkv: dqkv, dout: do, o: o, lse: lse}
	g.do, g.dq = cut(&t.rest, most*t.h.Dim), cut(&t.rest, most*t.h.Dim)
	g.ds, g.delta = cut(&t.rest, most*keyBlock), cut(&t.rest, most)
	return g
}

// clearKeys zeroes the gradients of a segment's keys and values, to which the
// tiles add.
func (g *tileGrad) clearKeys(seg token.Segment) {
	for i := int(seg.Start); i < int(seg.End); i++ {
		clear(g.dkey(i)[:g.h.Dim])
		clear(g.dvalue(i)[:g.h.Dim])
	}
}

func (g *tileGrad) dkey(k int) []float32   { return g.dqkv[k*g.h.QKV()+g.h.key(g.kv):] }
func (g *tileGrad) dvalue(k int) []float32 { return g.dqkv[k*g.h.QKV()+g.h.value(g.kv):] }

func (g *tileGrad) segment(s int32) {
	seg := g.segs[s]
	for lo := seg.Start; lo < seg.End; lo += int32(g.h.blockTokens()) {
		g.load([2]int32{s, lo})
		g.backward()
	}
}

func (g *tileGrad) backward() {
	d := g.h.Dim
	g.copyIn(g.dq, g.o, g.h.Out()) // dq holds o until its own sum starts
	g.copyIn(g.do, g.dout, g.h.Out())
	for r := range g.rows {
		g.delta[r] = vector.Dot(g.do[r*d:][:d], g.dq[r*d:][:d])
	}
	clear(g.dq[:g.rows*d])
	g.keys(g.keyGrads)
	vector.Scale(g.dq[:g.rows*d], g.h.scale())
	g.copyOut(g.dqkv, g.dq, g.h.QKV())
}

// keyGrads adds what the keys [k0, k1) contribute to dq, and what the tile
// contributes to their own gradients:
//
//	dv += pᵀ·do   dp = do·vᵀ   ds = p∘(dp − delta)   dq += ds·k   dk += dsᵀ·q
func (g *tileGrad) keyGrads(k0, k1 int) {
	d, width, keys := g.h.Dim, g.h.QKV(), k1-k0
	from := g.first(k0)
	rows := g.rows - from
	s, ds := g.s[from*keyBlock:], g.ds[from*keyBlock:]
	q, do, dq := g.q[from*d:], g.do[from*d:], g.dq[from*d:]
	g.scores(from, k0, k1)
	g.multiply(ds, keyBlock, gemm.Rows(do, d), gemm.Rows(g.value(k0), width), rows, keys, d, false)
	for r := from; r < g.rows; r++ {
		g.scoreGrads(r, g.visible(r, k0, k1), keys)
	}
	g.multiply(g.dvalue(k0), width, gemm.Columns(s, keyBlock), gemm.Columns(do, d), keys, d, rows, true)
	g.multiply(dq, d, gemm.Rows(ds, keyBlock), gemm.Columns(g.key(k0), width), rows, d, keys, true)
	g.multiply(g.dkey(k0), width, gemm.Columns(ds, keyBlock), gemm.Columns(q, d), keys, d, rows, true)
}

func (g *tileGrad) scoreGrads(r, visible, keys int) {
	p, ds := g.s[r*keyBlock:][:keys], g.ds[r*keyBlock:][:keys]
	vector.ExpSum(p[:visible], g.lse[g.place(r)])
	vector.ScoreGrad(ds[:visible], p, g.delta[r])
	clear(p[visible:])
	clear(ds[visible:])
}
