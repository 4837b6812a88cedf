package kernel

import (
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/kernel/vector"
	"github.com/herd-lm/herd/core/token"
)

// AttentionGrad computes dqkv[n, h.QKV()] from the gradient do[n, h.Out()] of the output, and
// from the operands and results of Attention. It recomputes probabilities block by block.
//
// The gradient of a key is a sum over queries, which stays on one thread: the work is split by
// key head and by tree of segments. One long document therefore keeps no more than h.KV
// threads busy.
func (f Precision) AttentionGrad(dqkv, do, o, lse, qkv []float32, segs []token.Segment, h Heads) {
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
	a.eachHeads(len(woods.roots), func(i, from, to int) {
		t := newTile(a)
		defer t.giveBack()
		g := newTileGrad(t, dqkv, do, o, lse)
		for s := woods.roots[i]; s >= 0; s = woods.next[s] {
			g.segment(s, from, to)
		}
	})
}

// forest lists the trees of segments: their roots, and for each segment the next segment of
// its tree, or -1.
type forest struct{ roots, next []int32 }

func plant(b *buffer, segs []token.Segment) forest {
	n := len(segs)
	b.rows = resized(b.rows, 3*n)
	f := forest{b.rows[:0:n], b.rows[n : 2*n]}
	last := b.rows[2*n:] // by root: the latest segment of the tree
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

// tileGrad is the backward pass of a tile.
type tileGrad struct {
	*tile
	dqkv, dout, o, lse []float32 // whole arrays

	do    []float32 // [rows, Dim] gradient of the tile's output
	dq    []float32 // [rows, Dim]
	ds    []float32 // [rows, keyBlock] gradient of the probabilities, then of q·k
	delta []float32 // [rows] do·o, which is Σ p·dp
	logs  []float32 // [rows] entries of lse

	qColumns, doColumns *gemm.Panels // of q and do, for the sums over rows
}

func newTileGrad(t *tile, dqkv, do, o, lse []float32) *tileGrad {
	most := t.h.blockTokens() * t.h.group()
	g := &t.memory.tileGrad
	*g = tileGrad{tile: t, dqkv: dqkv, dout: do, o: o, lse: lse, qColumns: &t.memory.panels[0], doColumns: &t.memory.panels[1]}
	g.do, g.dq = cut(&t.rest, most*t.h.Dim), cut(&t.rest, most*t.h.Dim)
	g.ds, g.delta, g.logs = cut(&t.rest, most*keyBlock), cut(&t.rest, most), cut(&t.rest, most)
	return g
}

func (g *tileGrad) dkey(k int) []float32   { return g.dqkv[k*g.h.QKV()+g.h.key(g.kv):] }
func (g *tileGrad) dvalue(k int) []float32 { return g.dqkv[k*g.h.QKV()+g.h.value(g.kv):] }

// segment computes the tiles of a segment, each for the key heads [from, to).
func (g *tileGrad) segment(s int32, from, to int) {
	seg := g.segs[s]
	for lo := seg.Start; lo < seg.End; lo += int32(g.h.blockTokens()) {
		g.cover([2]int32{s, lo})
		g.fetch(g.qkv, g.h.QKV(), from, to)
		g.fetch(g.dout, g.h.Out(), from, to)
		g.fetch(g.o, g.h.Out(), from, to)
		for kv := from; kv < to; kv++ {
			g.load(kv)
			g.backward()
		}
	}
}

func (g *tileGrad) backward() {
	d, format := g.h.Dim, g.precision.format()
	g.copyIn(g.do, g.dout, g.h.Out())
	for r := range g.rows {
		at := g.place(r)
		g.delta[r], g.logs[r] = vector.Dot(g.do[r*d:][:d], g.o[at*d:]), g.lse[at]
	}
	g.qColumns.PackAll(format, gemm.Columns(g.q, d), d, g.rows)
	g.doColumns.PackAll(format, gemm.Columns(g.do, d), d, g.rows)
	g.eachBlock(func(k *keyPanels, k0, k1 int, first bool) {
		g.eachRun(k0, k1, func(r0, r1, keys int) {
			g.scoreGrads(k, r0, r1, k0, k1, keys)
			g.multiply(&k.keyColumns, g.dq[r0*d:], d, gemm.Rows(g.ds[r0*keyBlock:], keyBlock), r1-r0, d, keys, !first)
		})
		g.keyGrads(k0, k1)
	})
	g.copyOut(g.dqkv, g.dq, g.h.QKV())
}

// scoreGrads leaves the probabilities p of rows [r0, r1) in s and the gradients of q·k in ds,
// for dq += ds·k:
//
//	dp = do·vᵀ   ds = p∘(dp − delta)/√Dim
func (g *tileGrad) scoreGrads(k *keyPanels, r0, r1, k0, k1, keys int) {
	d, m := g.h.Dim, r1-r0
	ds := g.ds[r0*keyBlock:]
	g.scores(&k.keyLines, r0, r1, keys)
	g.multiply(&k.valueLines, ds, keyBlock, gemm.Rows(g.do[r0*d:], d), m, keys, d, false)
	g.scoreRows(r0, r1, k0, k1, k1-k0).Gradient(g.s[r0*keyBlock:], ds, g.logs[r0:], g.delta[r0:])
}

// keyGrads adds the tile's contribution to the gradients of the keys [k0, k1) and of their
// values. It sets those of the tile's own tokens, which no earlier tile saw. It leaves out
// rows before the first that sees any of a run.
//
//	dv += pᵀ·do   dk += dsᵀ·q
func (g *tileGrad) keyGrads(k0, k1 int) {
	for lo, hi := k0, 0; lo < k1; lo = hi {
		seen := lo < g.lo
		hi = min(k1, lo+runRows)
		if seen {
			hi = min(k1, g.lo) // all rows see these keys
		}
		from := g.firstRow(lo)
		at, depth := from*keyBlock+lo-k0, g.rows-from
		q, do := g.qColumns.Skip(from), g.doColumns.Skip(from)
		g.multiply(&do, g.dvalue(lo), g.h.QKV(), gemm.Columns(g.s[at:], keyBlock), hi-lo, g.h.Dim, depth, seen)
		g.multiply(&q, g.dkey(lo), g.h.QKV(), gemm.Columns(g.ds[at:], keyBlock), hi-lo, g.h.Dim, depth, seen)
	}
}
