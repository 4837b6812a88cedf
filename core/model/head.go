package model

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// The language-model head, over hidden states h [reads, d] and weights w [V, d]. The logits of
// all readouts only exist as a whole in logits.

// crossEntropy returns -Σ weight·log softmax(h·wᵀ)[target] over the readouts, a scalar. It
// computes the gradients in the same pass, while the logits exist, on the assumption that the
// derivative of the loss by it is 1. The backward node only checks that assumption. The
// gradients have no memory until Gradient is called, and a program without gradients does not
// compute them.
func (n *network) crossEntropy(h *G.Node, w *Param) *G.Node {
	vocab, d := w.Shape[0], w.Shape[1]
	logp, logits := n.buffer(reads), scratch(kernel.CrossEntropyScratch(n.capacity.Reads, vocab))
	var dh, dw *graph.Buffer
	o := &graph.Op{Name: "cross-entropy", Extra: []*graph.Buffer{logp, logits}, Wrt: []bool{true, w.G != nil && w != n.params.Embed}}
	o.Flops = n.perRow(reads, 2*d*vocab)
	o.Forward = func(in []G.Value) {
		active := n.feed.extent(reads)
		loss := n.params.Precision.CrossEntropy(n.head(in[0], in[1], w), kernel.CrossEntropy{
			Weight: n.feed.weight, LogP: logp.Data, DX: data(dh), DW: data(dw), Accumulate: n.feed.accumulate, Logits: logits.Data,
		})
		n.feed.result.LogProb = publish(n.feed.result.LogProb, logp.Data, active)
		o.SetScalar(float32(loss))
	}
	o.Gradient = func(_ G.Nodes, out, one *G.Node) (G.Nodes, error) {
		dh, dw = n.buffer(reads, d), gradient(w)
		o.Extra = append(o.Extra, present(dh, dw)...)
		o.Flops = n.perRow(reads, 2*d*vocab*(1+len(present(dh, dw))))
		back := &graph.Op{Name: o.Name + ".grad", Reads: []*graph.Buffer{dh}}
		back.Forward = func(in []G.Value) {
			if factor := in[1].Data().(float32); factor != 1 {
				panic(fmt.Sprintf("the loss has the cross-entropy multiplied by %g, but its gradient is computed for 1: use NegLogLikelihood", factor))
			}
		}
		return n.headGrads(back.Apply(out, one), dh, dw, w), nil
	}
	return o.Apply(h, n.matrix(w, h))
}

// head returns the operands of the head's kernels over the current batch: hidden states
// h [reads, d], and the values of w [V, d].
func (n *network) head(h, values G.Value, w *Param) kernel.Head {
	return kernel.Head{X: graph.Floats(h), W: graph.Floats(values), Target: n.feed.batch.Target, D: w.Shape[1], Vocab: w.Shape[0]}
}

// headLogProb returns log softmax(h·wᵀ) at the target of each readout, [reads].
func (n *network) headLogProb(h *G.Node, w *Param) *G.Node {
	vocab, d := w.Shape[0], w.Shape[1]
	lse, logits := n.buffer(reads), scratch(kernel.HeadLogProbScratch(n.capacity.Reads, vocab))
	o := &graph.Op{Name: "head", Out: n.buffer(reads), Extra: []*graph.Buffer{lse, logits}, Wrt: []bool{true, w.G != nil && w != n.params.Embed}}
	o.Flops = n.perRow(reads, 2*d*vocab)
	o.Forward = func(in []G.Value) {
		active := n.feed.extent(reads)
		n.params.Precision.HeadLogProb(o.Out.Data[:active], lse.Data[:active], logits.Data, n.head(in[0], in[1], w))
		n.feed.result.LogProb = publish(n.feed.result.LogProb, o.Out.Data, active)
	}
	o.Gradient = func(in G.Nodes, _, dlogp *G.Node) (G.Nodes, error) {
		dh, dw, logits := n.buffer(reads, d), gradient(w), scratch(kernel.HeadLogProbGradScratch(n.capacity.Reads, d, vocab))
		back := &graph.Op{Name: "head.grad", Extra: present(dh, dw, logits), Reads: []*graph.Buffer{lse}}
		back.Flops = n.perRow(reads, 2*d*vocab*(1+len(present(dh, dw)))) // the logits again, dh and dw
		back.Forward = func(in []G.Value) {
			active := n.feed.extent(reads)
			n.params.Precision.HeadLogProbGrad(n.head(in[0], in[1], w), kernel.HeadGrad{
				DLogP: graph.Floats(in[2])[:active], LSE: lse.Data[:active],
				DX: dh.Data, DW: data(dw), Accumulate: n.feed.accumulate, Scratch: logits.Data,
			})
		}
		return n.headGrads(back.Apply(in[0], n.matrix(w, dlogp), dlogp), dh, dw, w), nil
	}
	return o.Apply(h, n.matrix(w, h))
}

// scratch returns a buffer of size elements that only its own node uses. A profile does not
// count it as traffic.
func scratch(size int) *graph.Buffer {
	b := graph.NewBuffer(size)
	b.Rows = func() int { return 0 }
	return b
}

// headGrads returns the gradients of h and w that node t computes. The embedding returns the
// gradient of a tied w.
func (n *network) headGrads(t *G.Node, dh, dw *graph.Buffer, w *Param) G.Nodes {
	grads := views(t, dh, dw)
	if w == n.params.Embed {
		n.headGrad, grads[1] = grads[1], nil
	}
	return grads
}

// logits returns h·wᵀ, [reads, V].
func (n *network) logits(h *G.Node, w *Param) *G.Node {
	vocab, d := w.Shape[0], w.Shape[1]
	o := &graph.Op{Name: "logits", Out: n.buffer(reads, vocab)}
	o.Flops = n.perRow(reads, 2*d*vocab)
	o.Forward = func(in []G.Value) {
		active := n.feed.extent(reads)
		n.params.Precision.Linear(o.Out.Data, graph.Floats(in[0]), graph.Floats(in[1]), nil, active, d, vocab)
		n.feed.result.Logits = publish(n.feed.result.Logits, o.Out.Data, active*vocab)
	}
	return o.Apply(h, n.matrix(w, h))
}
