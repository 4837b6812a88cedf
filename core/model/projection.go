package model

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// operands holds something for each child of a projection's Op by name: its node, its values,
// or whether it has a gradient. Operands that a projection lacks are zero.
type operands[T any] struct {
	x T // [a, in]
	w T // [out, in]

	loraA, loraB, m T // of an adapter: [terms*r, in], [rows, r]; with DoRA [rows]

	addend T // bias [out], or residual stream [a, out]
}

// list returns the operands that p has, in the order of the Op's children.
func (o operands[T]) list(p *projection) []T {
	list := []T{o.x, o.w}
	if p.low != nil {
		list = append(list, o.loraA, o.loraB)
	}
	if p.low.learnsNorms() {
		list = append(list, o.m)
	}
	if p.addend != nil {
		list = append(list, o.addend)
	}
	return list
}

// named is the reverse of list.
func named[T any](p *projection, list []T) (o operands[T]) {
	o.x, o.w, list = list[0], list[1], list[2:]
	if p.low != nil {
		o.loraA, o.loraB, list = list[0], list[1], list[2:]
	}
	if p.low.learnsNorms() {
		o.m, list = list[0], list[1:]
	}
	if p.addend != nil {
		o.addend = list[0]
	}
	return o
}

// projection is x·wᵀ, [a, out] of x [a, in] and w [out, in], plus what an adapter adds to it.
// Its children are the operands.
type projection struct {
	n   *network
	w   *Param
	a   axis
	op  *graph.Op
	y   *graph.Buffer // [a, out] result of the product; Out of the Op may be computed from it
	low *lowRank      // nil: w alone

	addend        *G.Node // bias or residual stream, or nil
	addendTrained bool    // whether addend has a gradient
	gradReadsOut  bool    // whether the gradient reads the result of the Op

	u           *graph.Buffer // [a, terms*r], kept for the gradient of the terms
	t           *graph.Buffer // [a, out] before DoRA's gain; nil without DoRA
	norms, gain *graph.Buffer // of DoRA: [rows], [out]
	dropped     *graph.Buffer // [a, in] of x; nil without dropout
}

func (n *network) projection(w *Param, a axis) *projection {
	out, in := w.Shape[0], w.Shape[1]
	p := &projection{n: n, w: w, a: a, y: n.buffer(a, out), low: n.params.Adapter.besides(w)}
	p.op = &graph.Op{Name: w.Name, Out: p.y}
	p.op.Flops = n.perRow(a, 2*in*out)
	if p.low != nil {
		p.adapt()
	}
	return p
}

// adapt adds the results that the terms of the adapter take.
func (p *projection) adapt() {
	n, low := p.n, p.low
	p.u = n.buffer(p.a, low.Width())
	p.op.Extra = append(p.op.Extra, p.u)
	p.op.Flops = n.perRow(p.a, 2*low.In*low.Out+p.termFlops())
	if n.dropout() > 0 {
		p.dropped = scratch(p.u.Len() / low.Width() * low.In)
		p.op.Extra = append(p.op.Extra, p.dropped)
	}
	if low.learnsNorms() {
		p.t, p.norms, p.gain = n.buffer(p.a, low.Out), graph.NewBuffer(low.Rows()), graph.NewBuffer(low.Out)
		p.op.Extra = append(p.op.Extra, p.t, p.norms, p.gain)
	}
}

// termFlops returns the operations of the terms for a row. Their gradients take twice as many.
func (p *projection) termFlops() int { return 2*p.low.Width()*p.low.In + 2*p.low.Rows()*p.low.Rank }

// apply makes the node of the Op over x and the other operands.
func (p *projection) apply(x *G.Node) *G.Node {
	nodes := operands[*G.Node]{x: x, w: p.n.matrix(p.w, x), addend: p.addend}
	if p.low != nil {
		nodes.loraA, nodes.loraB = p.n.param(p.low.A), p.n.param(p.low.B)
	}
	if p.low.learnsNorms() {
		nodes.m = p.n.param(p.low.M)
	}
	p.op.Wrt = operands[bool]{x: true, w: p.w.G != nil, loraA: true, loraB: true, m: true, addend: p.addendTrained}.list(p)
	unread := operands[bool]{x: p.w.G == nil && p.low == nil, w: true, loraA: true, loraB: true, m: true, addend: true}
	p.op.Unread = append(unread.list(p), !p.gradReadsOut)
	return p.op.Apply(nodes.list(p)...)
}

// run computes the projection into y, plus residual unless that is nil. Then it calls then,
// unless that is nil, for ranges [lo, hi) that cover all rows: see kernel.LinearThen.
func (p *projection) run(in operands[G.Value], residual []float32, then func(lo, hi int)) {
	rows, x, w, y := p.n.feed.extent(p.a), graph.Floats(in.x), graph.Floats(in.w), p.y.Data
	out, width, precision := p.w.Shape[0], p.w.Shape[1], p.n.params.Precision
	if p.low == nil {
		precision.LinearThen(kernel.Linear{Y: y, X: x, W: w, Residual: residual, N: rows, In: width, Out: out}, then)
		return
	}
	a, b := graph.Floats(in.loraA), graph.Floats(in.loraB)
	if p.t == nil {
		precision.Linear(y, x, w, residual, rows, width, out)
		precision.LowRank(y, p.u.Data, p.drop(p.dropped, x), a, b, rows, p.low.LowRank)
	} else {
		t := p.t.Data
		precision.Linear(t, x, w, nil, rows, width, out)
		precision.LowRank(t, p.u.Data, p.drop(p.dropped, x), a, b, rows, p.low.LowRank)
		p.low.Norms(p.norms.Data, p.low.squares, w, a, b)
		p.low.Gains(p.gain.Data, graph.Floats(in.m), p.norms.Data)
		kernel.Gain(y, t, p.gain.Data, residual, rows, out)
	}
	if then != nil {
		then(0, rows)
	}
}

// drop returns the input of the terms: x itself, or x after dropout in the buffer into.
func (p *projection) drop(into *graph.Buffer, x []float32) []float32 {
	if into == nil {
		return x
	}
	size := p.n.feed.extent(p.a) * p.low.In
	kernel.Dropout(into.Data[:size], x[:size], p.n.dropout(), p.key())
	return into.Data
}

// key returns the seed of the matrix's dropout in the current run.
func (p *projection) key() uint64 { return kernel.Mix(p.n.feed.draw, p.low.window) }

// gradient returns the gradients of all operands but addend, given dy.
func (p *projection) gradient(child G.Nodes, dy *G.Node) operands[*G.Node] {
	if p.low == nil {
		grads := p.n.linearGrad(p.op, child[:2], dy, p.w, p.a)
		return operands[*G.Node]{x: grads[0], w: grads[1]}
	}
	return p.adaptedGrad(named(p, child), dy)
}

// gradOperands holds the children of the gradient's Op beside an adapter, or their values.
type gradOperands[T any] struct{ x, w, loraA, loraB, dy T }

func (o gradOperands[T]) list() []T { return []T{o.x, o.w, o.loraA, o.loraB, o.dy} }

// gradNamed is the reverse of list.
func gradNamed[T any](v []T) gradOperands[T] { return gradOperands[T]{v[0], v[1], v[2], v[3], v[4]} }

// adaptedGrad computes the gradient if there is an adapter beside the frozen w.
func (p *projection) adaptedGrad(child operands[*G.Node], dy *G.Node) operands[*G.Node] {
	n, low := p.n, p.low
	g := &adaptedGrad{projection: p, da: gradient(low.A), db: gradient(low.B), du: scratch(p.u.Len())}
	back := &graph.Op{Name: p.op.Name + ".grad", Reads: present(p.u, p.t, p.norms, p.gain)}
	flops := 2*p.termFlops() - 2*low.Width()*low.In
	if p.op.Wrt[0] {
		g.dx = n.buffer(p.a, low.In)
		flops += 2*low.In*low.Out + 2*low.Width()*low.In
	}
	back.Flops = n.perRow(p.a, flops)
	if p.dropped != nil {
		g.x = scratch(p.dropped.Len())
	}
	if p.dropped != nil && g.dx != nil {
		g.ddropped = scratch(p.dropped.Len())
	}
	if low.learnsNorms() {
		g.dm, g.dt = gradient(low.M), scratch(p.t.Len())
	}
	back.Extra = present(g.dx, g.da, g.db, g.dm, g.du, g.dt, g.x, g.ddropped)
	back.Forward = func(v []G.Value) { g.run(gradNamed(v)) }
	nodes := gradOperands[*G.Node]{x: child.x, w: n.matrix(p.w, dy), loraA: child.loraA, loraB: child.loraB, dy: dy}
	views := views(back.Apply(nodes.list()...), g.dx, g.da, g.db, g.dm)
	return operands[*G.Node]{x: views[0], loraA: views[1], loraB: views[2], m: views[3]}
}

// adaptedGrad holds the results of the gradient, and its scratch memory.
type adaptedGrad struct {
	*projection
	dx, da, db, dm *graph.Buffer // dx is nil if nothing before the projection is trained
	du, dt         *graph.Buffer // gradients of u, and of t with DoRA
	x, ddropped    *graph.Buffer // with dropout: x after dropout again, and its gradient
}

func (g *adaptedGrad) run(in gradOperands[G.Value]) {
	n, low := g.n, g.low
	x, w, a, b, dy := graph.Floats(in.x), graph.Floats(in.w), graph.Floats(in.loraA), graph.Floats(in.loraB), graph.Floats(in.dy)
	rows, accumulate, precision := n.feed.extent(g.a), n.feed.accumulate, n.params.Precision
	if low.learnsNorms() {
		low.MagnitudeGrad(g.dm.Data, dy, g.t.Data, g.norms.Data, rows, accumulate)
		kernel.Gain(g.dt.Data, dy, g.gain.Data, nil, rows, low.Out)
		dy = g.dt.Data
	}
	size := rows * low.In
	dx, sum := data(g.dx), data(g.dx) // the terms add their gradient of x to sum
	if dx != nil {
		precision.LinearInputGrad(dx, dy, w, rows, low.In, low.Out, false)
	}
	if g.ddropped != nil {
		sum = g.ddropped.Data
		clear(sum[:size])
	}
	precision.LowRankGrad(low.LowRank, kernel.LowRankGrad{
		DY: dy, X: g.drop(g.x, x), U: g.u.Data, A: a, B: b, N: rows,
		DX: sum, DA: g.da.Data, DB: g.db.Data, Accumulate: accumulate, DU: g.du.Data,
	})
	if g.ddropped != nil {
		kernel.DropoutGrad(dx[:size], sum[:size], n.dropout(), g.key())
	}
}
