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
	a := attend(f, qkv, segs, h)
	defer a.giveBack()
	a.pack(func(k *keyPanels, format gemm.Format, keys, values []float32, n int) {
		k.keyLines.PackAll(format, gemm.Rows(keys, h.QKV()), n, h.Dim)
		k.valueLines.PackAll(format, gemm.Rows(values, h.QKV()), n, h.Dim)
		k.keyColumns.PackAll(format, gemm.Columns(keys, h.QKV()), h.Dim, n)
	})
	woods := plant(b, segs)
	Parallel(len(woods.roots)*h.KV, func(i int) {
		root := woods.roots[i/h.KV]
		t := newTile(a, i%h.KV)
		defer t.giveBack()
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

	qColumns, doColumns *gemm.Panels // of q and do, for the sums over rows
}

func newTileGrad(t *tile, dqkv, do, o, lse []float32) *tileGrad {
	most := t.h.blockTokens() * t.h.group()
	g := &t.memory.tileGrad
	*g = tileGrad{tile: t, dqkv: dqkv, dout: do, o: o, lse: lse, qColumns: &t.memory.panels[0], doColumns: &t.memory.panels[1]}
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
	d, format := g.h.Dim, g.precision.format()
	g.copyIn(g.do, g.dout, g.h.Out())
	for r := range g.rows {
		g.delta[r] = vector.Dot(g.do[r*d:][:d], g.o[g.place(r)*d:])
	}
	clear(g.dq[:g.rows*d])
	g.qColumns.PackAll(format, gemm.Columns(g.q, d), d, g.rows)
	g.doColumns.PackAll(format, gemm.Columns(g.do, d), d, g.rows)
	g.eachBlock(func(k *keyPanels, k0, k1 int) {
		g.eachRun(k0, k1, func(r0, r1, keys int) { g.scoreGrads(k, r0, r1, k0, k1, keys) })
		g.keyGrads(k0, k1)
	})
	vector.Scale(g.dq[:g.rows*d], g.h.scale())
	g.copyOut(g.dqkv, g.dq, g.h.QKV())
}

// scoreGrads leaves the probabilities p of rows [r0, r1) in s and the gradients
// of their scores in ds, and adds what the keys contribute to dq:
//
//	dp = do·vᵀ   ds = p∘(dp − delta)   dq += ds·k
func (g *tileGrad) scoreGrads(k *keyPanels, r0, r1, k0, k1, keys int) {
	d, m := g.h.Dim, r1-r0
	ds := g.ds[r0*keyBlock:]
	g.scores(&k.keyLines, r0, r1, keys)
	g.multiply(&k.valueLines, ds, keyBlock, gemm.Rows(g.do[r0*d:], d), m, keys, d, false)
	for r := r0; r < r1; r++ {
		g.scoreRowGrads(r, g.visible(r, k0, k1), k1-k0)
	}
	g.multiply(&k.keyColumns, g.dq[r0*d:], d, gemm.Rows(ds, keyBlock), m, d, keys, true)
}

func (g *tileGrad) scoreRowGrads(r, visible, keys int) {
	p, ds := g.s[r*keyBlock:][:keys], g.ds[r*keyBlock:][:keys]
	vector.ExpSum(p[:visible], g.lse[g.place(r)])
	vector.ScoreGrad(ds[:visible], p, g.delta[r])
	clear(p[visible:])
	clear(ds[visible:])
}

// keyGrads adds the tile's contribution to the gradients of the keys [k0, k1) and
// of their values, leaving out the rows before the first that sees any of a run:
//
//	dv += pᵀ·do   dk += dsᵀ·q
func (g *tileGrad) keyGrads(k0, k1 int) {
	for lo, hi := k0, 0; lo < k1; lo = hi {
		hi = k1
		if g.firstRow(k1-1) > 0 {
			hi = min(k1, lo+g.run)
		}
		from := g.firstRow(lo)
		at, depth := from*keyBlock+lo-k0, g.rows-from
		q, do := g.qColumns.Skip(from), g.doColumns.Skip(from)
		g.multiply(&do, g.dvalue(lo), g.h.QKV(), gemm.Columns(g.s[at:], keyBlock), hi-lo, g.h.Dim, depth, true)
		g.multiply(&q, g.dkey(lo), g.h.QKV(), gemm.Columns(g.ds[at:], keyBlock), hi-lo, g.h.Dim, depth, true)
	}
}
