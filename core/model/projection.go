package model

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// projection is x·wᵀ, [a, out] of x [a, in] and w [out, in], plus what an adapter
// adds to it. Its Op has the children x, w, and of an adapter A, B and M.
type projection struct {
	n   *network
	w   *Param
	a   axis
	op  *graph.Op
	y   *graph.Buffer // [a, out], of which the Op makes more or nothing: its Out
	low *lowRank      // nil: w alone

	u           *graph.Buffer // [a, terms*r], what the gradient needs of the terms
	t           *graph.Buffer // [a, out] before DoRA's gain; nil without
	norms, gain *graph.Buffer // of DoRA: [rows], [out]
	dropped     *graph.Buffer // [a, in] of x; nil without dropout
}

func (n *network) projection(w *Param, a axis) *projection {
	out, in := w.Shape[0], w.Shape[1]
	p := &projection{n: n, w: w, a: a, y: n.buffer(a, out), low: n.params.Adapter.besides(w)}
	p.op = &graph.Op{Name: w.Name, Out: p.y, Wrt: []bool{true, w.G != nil}}
	p.op.Flops = n.perRow(a, 2*in*out)
	p.op.Unread = []bool{w.G == nil && p.low == nil, true}
	if p.low != nil {
		p.adapt()
	}
	return p
}

// adapt adds the operands and results that the terms take.
func (p *projection) adapt() {
	n, low := p.n, p.low
	p.u = n.buffer(p.a, low.Width())
	p.op.Extra = append(p.op.Extra, p.u)
	p.op.Wrt = append(p.op.Wrt, true, true)
	p.op.Unread = append(p.op.Unread, true, true)
	p.op.Flops = n.perRow(p.a, 2*low.In*low.Out+p.termFlops())
	if n.dropout() > 0 {
		p.dropped = scratch(p.u.Len() / low.Width() * low.In)
		p.op.Extra = append(p.op.Extra, p.dropped)
	}
	if low.M != nil {
		p.t, p.norms, p.gain = n.buffer(p.a, low.Out), graph.NewBuffer(low.Rows()), graph.NewBuffer(low.Out)
		p.op.Extra = append(p.op.Extra, p.t, p.norms, p.gain)
		p.op.Wrt = append(p.op.Wrt, true)
		p.op.Unread = append(p.op.Unread, true)
	}
}

// termFlops is what the terms take for a row; their gradients take twice as much.
func (p *projection) termFlops() int { return 2*p.low.Width()*p.low.In + 2*p.low.Rows()*p.low.Rank }

// weights returns the nodes of the Op's children after x; that of w is made after the
// node before.
func (p *projection) weights(before *G.Node) G.Nodes {
	list := G.Nodes{p.n.matrix(p.w, before)}
	if p.low != nil {
		list = append(list, p.n.param(p.low.A), p.n.param(p.low.B))
		if p.low.M != nil {
			list = append(list, p.n.param(p.low.M))
		}
	}
	return list
}

// apply makes the node of the Op over x and whatever else it reads.
func (p *projection) apply(x *G.Node, more ...*G.Node) *G.Node {
	p.op.Unread = append(p.op.Unread, true) // the result itself
	return p.op.Apply(append(append(G.Nodes{x}, p.weights(x)...), more...)...)
}

// run computes the projection into y, plus residual unless that is nil. Then it calls
// then for rows [lo, hi) that cover all, unless that is nil: see LinearThen.
func (p *projection) run(in []G.Value, residual []float32, then func(lo, hi int)) {
	rows, x, w, y := p.n.feed.extent(p.a), graph.Floats(in[0]), graph.Floats(in[1]), p.y.Data
	out, width, precision := p.w.Shape[0], p.w.Shape[1], p.n.params.Precision
	if p.low == nil {
		precision.LinearThen(kernel.Linear{Y: y, X: x, W: w, Residual: residual, N: rows, In: width, Out: out}, then)
		return
	}
	if p.t == nil {
		precision.Linear(y, x, w, residual, rows, width, out)
		precision.LowRank(y, p.u.Data, p.drop(p.dropped, x), graph.Floats(in[2]), graph.Floats(in[3]), rows, p.low.LowRank)
	} else {
		a, b, m, t := graph.Floats(in[2]), graph.Floats(in[3]), graph.Floats(in[4]), p.t.Data
		precision.Linear(t, x, w, nil, rows, width, out)
		precision.LowRank(t, p.u.Data, p.drop(p.dropped, x), a, b, rows, p.low.LowRank)
		p.low.Norms(p.norms.Data, p.low.squares, w, a, b)
		p.low.Gains(p.gain.Data, m, p.norms.Data)
		kernel.Gain(y, t, p.gain.Data, residual, rows, out)
	}
	if then != nil {
		then(0, rows)
	}
}

// drop returns what the terms read: x itself, or x after dropout in a buffer.
func (p *projection) drop(into *graph.Buffer, x []float32) []float32 {
	if into == nil {
		return x
	}
	size := p.n.feed.extent(p.a) * p.low.In
	kernel.Dropout(into.Data[:size], x[:size], p.n.dropout(), p.key())
	return into.Data
}

// key is that of the matrix's dropout in the current run.
func (p *projection) key() uint64 { return kernel.Mix(p.n.feed.draw, p.low.window) }

// gradient returns the gradients of the Op's children, given dy.
func (p *projection) gradient(child G.Nodes, dy *G.Node) G.Nodes {
	if p.low == nil {
		return p.n.linearGrad(p.op, child, dy, p.w, p.a)
	}
	return p.adaptedGrad(child, dy)
}

// adaptedGrad is gradient where an adapter stands beside the frozen w.
func (p *projection) adaptedGrad(child G.Nodes, dy *G.Node) G.Nodes {
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
	if low.M != nil {
		g.dm, g.dt = gradient(low.M), scratch(p.t.Len())
	}
	back.Extra = present(g.dx, g.da, g.db, g.dm, g.du, g.dt, g.x, g.ddropped)
	back.Forward = func(v []G.Value) {
		g.run(graph.Floats(v[0]), graph.Floats(v[1]), graph.Floats(v[2]), graph.Floats(v[3]), graph.Floats(v[4]))
	}
	t := back.Apply(child[0], n.matrix(p.w, dy), child[2], child[3], dy)
	grads := views(t, g.dx, nil, g.da, g.db)
	if low.M != nil {
		grads = append(grads, graph.View(t, g.dm))
	}
	return grads
}

// adaptedGrad is the results of the gradient, and its scratch.
type adaptedGrad struct {
	*projection
	dx, da, db, dm *graph.Buffer // dx is nil if nothing before the projection is trained
	du, dt         *graph.Buffer // of u; of t, with DoRA
	x, ddropped    *graph.Buffer // with dropout: x after it once more, and the gradient of that
}

func (g *adaptedGrad) run(x, w, a, b, dy []float32) {
	n, low := g.n, g.low
	rows, accumulate, precision := n.feed.extent(g.a), n.feed.accumulate, n.params.Precision
	if low.M != nil {
		low.MagnitudeGrad(g.dm.Data, dy, g.t.Data, g.norms.Data, rows, accumulate)
		kernel.Gain(g.dt.Data, dy, g.gain.Data, nil, rows, low.Out)
		dy = g.dt.Data
	}
	size := rows * low.In
	dx, sum := data(g.dx), data(g.dx) // sum is what the terms add their gradient of x to
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
