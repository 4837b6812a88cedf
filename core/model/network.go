package model

import (
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/token"
)

// axis is what the rows of an activation stand for. A graph is built for the capacity of each
// axis; the kernels run over the extent of the current batch.
type axis int

const (
	tokens axis = iota
	reads
	sequences
	pairs
)

func along(a axis, s token.Size) int {
	return [...]int{s.Tokens, s.Reads, s.Sequences, s.Pairs}[a]
}

// network is a Llama under construction: the nodes of its parameters, and what the kernels
// need at run time.
type network struct {
	params    *Params
	capacity  token.Size
	training  bool // compute gradients, and apply dropout
	recompute Recompute
	feed      *feed
	heads     kernel.Heads
	rotary    *kernel.Rotary

	g     *G.ExprGraph
	nodes map[*Param]*G.Node
	// headGrad is the node of a tied head's weight gradient. The embedding adds its own
	// gradient to the same memory afterwards.
	headGrad *G.Node
}

func newNetwork(p *Params, capacity token.Size) *network {
	c := p.Config
	return &network{
		params: p, capacity: capacity, feed: newFeed(capacity),
		heads:  kernel.Heads{Query: c.Heads, KV: c.KVHeads, Dim: c.HeadDim},
		rotary: kernel.NewRotary(c.InvFreq(), positions(c, capacity)),
		g:      G.NewGraph(),
		nodes:  make(map[*Param]*G.Node),
	}
}

// positions returns the number of positions that batches of a capacity can use.
func positions(c Config, capacity token.Size) int { return min(c.Context(), capacity.Tokens) }

// hidden returns the residual stream after the last layer, [tokens, HiddenSize]
// (arXiv 2302.13971, section 2.2; arXiv 2407.21783, section 3.2).
func (n *network) hidden() *G.Node {
	x := n.embed(n.params.Embed)
	for i, l := range n.params.Layers {
		y := n.mlpBlock(n.attentionBlock(x, l), l)
		if n.recompute.drops(i, len(n.params.Layers)) {
			graph.Recompute(x, y)
		}
		x = y
	}
	return x
}

// attentionBlock returns x + O·attention(QKV·norm(x)).
func (n *network) attentionBlock(x *G.Node, l Layer) *G.Node {
	stream := &residual{x: x}
	h := n.norm(x, l.AttnNorm, tokens, stream)
	return n.project(n.attention(n.qkv(h, l.QKV, l.QKVBias)), l.O, stream)
}

// mlpBlock returns x + Down·(silu(Gate·norm(x)) * Up·norm(x)).
func (n *network) mlpBlock(x *G.Node, l Layer) *G.Node {
	stream := &residual{x: x}
	h := n.norm(x, l.MLPNorm, tokens, stream)
	return n.project(n.gated(h, l.GateUp), l.Down, stream)
}

// param returns the node that aliases the weights of t.
func (n *network) param(t *Param) *G.Node {
	if n.nodes[t] == nil {
		shape := tensor.Shape(t.Shape)
		n.nodes[t] = G.NewTensor(n.g, tensor.Float32, shape.Dims(), G.WithShape(shape...), G.WithName(t.Name),
			G.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(t.W))))
	}
	return n.nodes[t]
}

// matrix returns a node of the weights of t. Weights in a smaller storage are widened into a
// buffer after the node before, just in time for the nodes that read them, so that few
// matrices are wide at the same time.
func (n *network) matrix(t *Param, before *G.Node) *G.Node {
	if t.frozen == nil {
		return n.param(t)
	}
	o := &graph.Op{Name: "widen " + t.Name, Out: graph.NewBuffer(t.Shape...)}
	o.Bytes = func() float64 { return float64(4*t.size()) + float64(t.frozen.Bytes()) }
	o.Forward = func([]G.Value) { t.frozen.Floats(o.Out.Data, 0, t.Shape[0]) }
	return o.Apply(before)
}

// trained returns the parameter nodes of the graph in the order of the flat array, so that two
// graphs of one definition are equal.
func (n *network) trained() G.Nodes {
	var list G.Nodes
	windows := n.params.all()
	if a := n.params.Adapter; a != nil {
		windows = slices.Concat(a.windows, []*Param{a.Score})
	}
	for _, t := range windows {
		if node, ok := n.nodes[t]; ok {
			list = append(list, node)
		}
	}
	return list
}

// buffer returns a buffer of one row per unit of a.
func (n *network) buffer(a axis, shape ...int) *graph.Buffer {
	b := graph.NewBuffer(append([]int{along(a, n.capacity)}, shape...)...)
	b.Rows = func() int { return n.feed.extent(a) }
	return b
}

// gradient returns the buffer over the gradient of t, or nil if t is frozen.
func gradient(t *Param) *graph.Buffer {
	if t.G == nil {
		return nil
	}
	return graph.Pin(t.G, t.Shape...)
}

// present returns the buffers that are not nil. A result that is not needed has no buffer.
func present(buffers ...*graph.Buffer) []*graph.Buffer {
	return slices.DeleteFunc(buffers, func(b *graph.Buffer) bool { return b == nil })
}

// views returns a view of node t for each buffer, nil for those that are nil.
func views(t *G.Node, buffers ...*graph.Buffer) G.Nodes {
	list := make(G.Nodes, len(buffers))
	for i, b := range buffers {
		if b != nil {
			list[i] = graph.View(t, b)
		}
	}
	return list
}

// data returns the memory of b, or nil if b is nil.
func data(b *graph.Buffer) []float32 {
	if b == nil {
		return nil
	}
	return b.Data
}

// dropout returns the probability with which an adapter's terms drop an input.
func (n *network) dropout() float64 {
	if !n.training || n.params.Adapter == nil {
		return 0
	}
	return n.params.Adapter.LoRA.Dropout
}
