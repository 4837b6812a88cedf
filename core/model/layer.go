package model

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// The operations of a layer, each with its gradient. A gradient Op writes several results at
// once: its node is a token, and views of it represent the gradients of the children.

// residual is the stream around a block. Its gradient skips the block: the norm at the entry
// of the block receives it and its kernel adds it, which saves a node that sums.
type residual struct{ x, grad *G.Node }

// embed returns the rows of e [V, d] that the tokens name: [tokens, d].
func (n *network) embed(e *Param) *G.Node {
	d := e.Shape[1]
	o := &graph.Op{Name: "embed", Out: n.buffer(tokens, d), Wrt: []bool{e.G != nil}}
	o.Bytes = n.perRow(tokens, 8*d) // of the rows that it reads, not all of e
	if e.frozen != nil {
		o.Forward = func([]G.Value) { e.frozen.Embed(o.Out.Data, n.feed.batch.IDs) }
		return o.Apply(n.param(n.params.Norm)) // a node needs a child to belong to a graph
	}
	o.Forward = func(in []G.Value) {
		kernel.Embed(o.Out.Data, graph.Floats(in[0]), n.feed.batch.IDs, d)
	}
	o.Gradient = func(in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		de := gradient(e)
		children := []*G.Node{dy}
		if n.headGrad != nil {
			children = append(children, n.headGrad)
		}
		tied := n.headGrad != nil
		back := &graph.Op{Name: "embed.grad", Out: de}
		back.Bytes = func() float64 {
			if n.feed.accumulate || tied {
				return n.perRow(tokens, 12*d)()
			}
			return n.perRow(tokens, 4*d)() + 4*float64(len(e.G))
		}
		back.Forward = func(in []G.Value) {
			kernel.EmbedGrad(de.Data, graph.Floats(in[0]), n.feed.batch.IDs, d, e.Shape[0], n.feed.accumulate || tied)
		}
		return G.Nodes{back.Apply(children...)}, nil
	}
	return o.Apply(n.param(e))
}

// norm returns RMSNorm(x) * g, along a. If stream is not nil, its gradient is added to the
// gradient of x.
func (n *network) norm(x *G.Node, g *Param, a axis, stream *residual) *G.Node {
	d, eps := g.Shape[0], float32(n.params.Config.NormEps)
	rstd := n.buffer(a)
	o := &graph.Op{Name: "norm " + g.Name, Out: n.buffer(a, d), Extra: []*graph.Buffer{rstd}, Wrt: []bool{true, g.G != nil}, Unread: []bool{false, false, true}}
	o.Forward = func(in []G.Value) {
		kernel.RMSNorm(o.Out.Data, rstd.Data, graph.Floats(in[0]), graph.Floats(in[1]), n.feed.extent(a), d, eps)
	}
	o.Gradient = func(in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		dx, dg := n.buffer(a, d), gradient(g)
		back := &graph.Op{Name: o.Name + ".grad", Extra: present(dx, dg), Reads: []*graph.Buffer{rstd}}
		children := []*G.Node{in[0], in[1], dy}
		if stream != nil {
			children = append(children, stream.grad)
		}
		back.Forward = func(in []G.Value) {
			var skip []float32
			if stream != nil {
				skip = graph.Floats(in[3])
			}
			kernel.RMSNormGrad(kernel.NormGrad{
				DY: graph.Floats(in[2]), X: graph.Floats(in[0]), G: graph.Floats(in[1]), RStd: rstd.Data, Residual: skip,
				N: n.feed.extent(a), D: d, DX: dx.Data, DG: data(dg), Accumulate: n.feed.accumulate,
			})
		}
		t := back.Apply(children...)
		return views(t, dx, dg), nil
	}
	return o.Apply(x, n.param(g))
}

// linearGrad returns the gradients of the children x and w of o = x·wᵀ, as far as o is
// differentiable by them. It does not read an operand that only the other gradient needs.
func (n *network) linearGrad(o *graph.Op, child G.Nodes, dy *G.Node, w *Param, a axis) G.Nodes {
	out, in := w.Shape[0], w.Shape[1]
	dx, dw, children := (*graph.Buffer)(nil), gradient(w), G.Nodes{dy}
	var placeW, placeX, flops int // places among the children, if they are operands
	if o.Wrt[0] {
		placeW = len(children)
		dx, children, flops = n.buffer(a, in), append(children, n.matrix(w, dy)), flops+2*in*out
	}
	if dw != nil {
		placeX = len(children)
		children, flops = append(children, child[0]), flops+2*in*out
	}
	back := &graph.Op{Name: o.Name + ".grad", Extra: present(dx, dw)}
	back.Flops = n.perRow(a, flops)
	back.Forward = func(v []G.Value) {
		rows, dy := n.feed.extent(a), graph.Floats(v[0])
		if dx != nil {
			n.params.Precision.LinearInputGrad(dx.Data, dy, graph.Floats(v[placeW]), rows, in, out, false)
		}
		if dw != nil {
			n.params.Precision.LinearWeightGrad(dw.Data, dy, graph.Floats(v[placeX]), rows, in, out, n.feed.accumulate)
		}
	}
	return views(back.Apply(children...), dx, dw)
}

// project returns stream.x + h·wᵀ, the output of a block.
func (n *network) project(h *G.Node, w *Param, stream *residual) *G.Node {
	p := n.projection(w, tokens)
	p.addend = stream.x
	p.op.Forward = func(v []G.Value) {
		in := named(p, v)
		p.run(in, graph.Floats(in.addend), nil)
	}
	p.op.Gradient = func(child G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		stream.grad = dy
		return p.gradient(child, dy).list(p), nil
	}
	return p.apply(h)
}

// qkv returns the fused, rotated queries and keys and the values,
// [tokens, (Heads+2*KVHeads)*HeadDim], of h·wᵀ + bias; bias may be nil. The gradient that it
// receives is already rotated back: the gradient of attention does that in place.
func (n *network) qkv(h *G.Node, w, bias *Param) *G.Node {
	p := n.projection(w, tokens)
	if bias != nil {
		p.addend, p.addendTrained = n.param(bias), bias.G != nil
	}
	var addend []float32 // the bias in the current run
	finish := func(lo, hi int) {
		rows := p.y.Data[lo*n.heads.QKV() : hi*n.heads.QKV()]
		if bias != nil {
			kernel.AddBias(rows, addend, hi-lo, bias.Shape[0])
		}
		n.rotary.Rotate(rows, n.feed.batch.Pos[lo:hi], n.heads, false)
	}
	p.op.Forward = func(v []G.Value) {
		in := named(p, v)
		if bias != nil {
			addend = graph.Floats(in.addend)
		}
		p.run(in, nil, finish)
	}
	p.op.Gradient = func(child G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		grads := p.gradient(child, dy)
		if bias != nil {
			grads.addend = n.biasGrad(dy, bias)
		}
		return grads.list(p), nil
	}
	return p.apply(h)
}

// biasGrad returns the gradient of bias [out], given the gradient dy [tokens, out] of the rows
// that it is added to. It returns nil if bias is frozen.
func (n *network) biasGrad(dy *G.Node, bias *Param) *G.Node {
	db := gradient(bias)
	if db == nil {
		return nil
	}
	back := &graph.Op{Name: bias.Name + ".grad", Out: db}
	back.Forward = func(v []G.Value) {
		kernel.BiasGrad(db.Data, graph.Floats(v[0]), n.feed.extent(tokens), bias.Shape[0], n.feed.accumulate)
	}
	return back.Apply(dy)
}

// attention returns softmax(q·kᵀ/sqrt(HeadDim))·v under the batch's document mask,
// [tokens, Heads*HeadDim].
func (n *network) attention(qkv *G.Node) *G.Node {
	lse := n.buffer(tokens, n.heads.Query)
	o := &graph.Op{Name: "attention", Out: n.buffer(tokens, n.heads.Out()), Extra: []*graph.Buffer{lse}, Wrt: []bool{true}}
	o.Flops = n.perPair(4 * n.heads.Out()) // q·k and p·v
	o.Forward = func(in []G.Value) {
		n.params.Precision.Attention(o.Out.Data, lse.Data, graph.Floats(in[0]), n.feed.batch.Segments, n.heads)
	}
	o.Gradient = func(in G.Nodes, out, do *G.Node) (G.Nodes, error) {
		back := &graph.Op{Name: "attention.grad", Out: n.buffer(tokens, n.heads.QKV()), Reads: []*graph.Buffer{lse}}
		back.Flops = n.perPair(10 * n.heads.Out()) // q·k again, and the gradients of p, v, q and k
		back.Forward = func(in []G.Value) {
			n.params.Precision.AttentionGrad(back.Out.Data, graph.Floats(in[2]), graph.Floats(in[1]), lse.Data, graph.Floats(in[0]),
				n.feed.batch.Segments, n.heads)
			n.rotary.Rotate(back.Out.Data, n.feed.batch.Pos, n.heads, true)
		}
		return G.Nodes{back.Apply(in[0], out, do)}, nil
	}
	return o.Apply(qkv)
}

// gated returns silu(gate)*up of gate|up = h·wᵀ [tokens, 2f].
func (n *network) gated(h *G.Node, w *Param) *G.Node {
	f := n.params.Config.IntermediateSize
	p := n.projection(w, tokens)
	gateUp, out := p.y, n.buffer(tokens, f)
	p.op.Out, p.op.Extra = out, append(p.op.Extra, gateUp)
	finish := func(lo, hi int) { kernel.SwiGLU(out.Data[lo*f:], gateUp.Data[2*lo*f:], hi-lo, f) }
	p.op.Forward = func(v []G.Value) { p.run(named(p, v), nil, finish) }
	p.op.Gradient = func(child G.Nodes, out, dy *G.Node) (G.Nodes, error) {
		back := &graph.Op{Name: "swiglu.grad", Out: gateUp} // no other node reads gateUp after this one
		back.Bytes = n.perRow(tokens, 4*(f+2*f+2*f))
		back.Forward = func(in []G.Value) {
			kernel.SwiGLUGrad(gateUp.Data, graph.Floats(in[0]), gateUp.Data, n.feed.extent(tokens), f)
		}
		return p.gradient(child, back.Apply(dy, out)).list(p), nil
	}
	p.gradReadsOut = true
	return p.apply(h)
}
