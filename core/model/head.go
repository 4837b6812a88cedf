package model

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// The language-model head, over hidden states h [reads, d] and weights w [V, d].
// The logits of all readouts exist whole only where someone wants to look at them.

// headLogProb returns log softmax(h·wᵀ) at each readout's target, [reads].
func (n *network) headLogProb(h *G.Node, w *Param) *G.Node {
	vocab, d := w.Shape[0], w.Shape[1]
	lse, scratch := n.buffer(reads), graph.NewBuffer(kernel.HeadLogProbScratch(n.capacity.Reads, vocab))
	o := &graph.Op{Name: "head", Out: n.buffer(reads), Extra: []*graph.Buffer{lse, scratch}, Wrt: []bool{true, w != n.params.Embed}}
	o.Forward = func(in []G.Value) {
		active := n.feed.extent(reads)
		n.params.Precision.HeadLogProb(o.Out.Data[:active], lse.Data[:active], scratch.Data, graph.Floats(in[0]), graph.Floats(in[1]),
			n.feed.batch.Target, d, vocab)
		n.feed.result.LogProb = publish(n.feed.result.LogProb, o.Out.Data, active)
	}
	o.Gradient = func(in G.Nodes, _, dlogp *G.Node) (G.Nodes, error) {
		dh, dw, scratch := n.buffer(reads, d), gradient(w), graph.NewBuffer(kernel.HeadLogProbGradScratch(n.capacity.Reads, d, vocab))
		back := &graph.Op{Name: "head.grad", Extra: []*graph.Buffer{dh, dw, scratch}, Reads: []*graph.Buffer{lse}}
		back.Forward = func(in []G.Value) {
			active := n.feed.extent(reads)
			n.params.Precision.HeadLogProbGrad(dh.Data, dw.Data, scratch.Data, graph.Floats(in[2])[:active], lse.Data[:active], graph.Floats(in[0]), graph.Floats(in[1]),
				n.feed.batch.Target, d, vocab, n.feed.accumulate)
		}
		return n.headGrads(back.Apply(in[0], in[1], dlogp), dh, dw, w), nil
	}
	return o.Apply(h, n.param(w))
}

// headGrads returns the gradients of h and w that node t computes. That of a tied
// w is left to the embedding.
func (n *network) headGrads(t *G.Node, dh, dw *graph.Buffer, w *Param) G.Nodes {
	grads := G.Nodes{graph.View(t, dh), graph.View(t, dw)}
	if w == n.params.Embed {
		n.headGrad, grads[1] = grads[1], nil
	}
	return grads
}

// logits returns h·wᵀ, [reads, V].
func (n *network) logits(h *G.Node, w *Param) *G.Node {
	vocab, d := w.Shape[0], w.Shape[1]
	o := &graph.Op{Name: "logits", Out: n.buffer(reads, vocab)}
	o.Forward = func(in []G.Value) {
		active := n.feed.extent(reads)
		n.params.Precision.Linear(o.Out.Data, graph.Floats(in[0]), graph.Floats(in[1]), nil, active, d, vocab)
		n.feed.result.Logits = publish(n.feed.result.Logits, o.Out.Data, active*vocab)
	}
	return o.Apply(h, n.param(w))
}
