package model

import (
	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// Outputs are the nodes that a loss is stated over. Each is built when first
// asked for, so that a graph computes only what its loss needs. Vectors have the
// capacity of their axis and are zero, like the weights, beyond the batch.
type Outputs struct {
	n      *network
	hidden *G.Node

	crossEntropy, logProb, seqLogProb, value *G.Node
	weight, reference, pairWeight, marg      *G.Node
}

// once returns *node, making it first if it is not there.
func once(node **G.Node, make func() *G.Node) *G.Node {
	if *node == nil {
		*node = make()
	}
	return *node
}

// LogProb is log p(Target[r] | what row Read[r] has seen), [R]. Its gradient
// computes the logits once more. A loss has LogProb or CrossEntropy, not both.
func (o *Outputs) LogProb() *G.Node {
	return once(&o.logProb, func() *G.Node {
		refuse(o.crossEntropy)
		return o.n.headLogProb(o.normed(reads), o.n.params.Head)
	})
}

// CrossEntropy is minus the sum of Weight*LogProb, a scalar. Its gradient is
// computed in the same pass: nothing may multiply it on the way to the loss.
func (o *Outputs) CrossEntropy() *G.Node {
	return once(&o.crossEntropy, func() *G.Node {
		refuse(o.logProb)
		return o.n.crossEntropy(o.normed(reads), o.n.params.Head)
	})
}

// refuse fails the building of the graph if the head has another output
// already: each would set the gradient of its weights.
func refuse(other *G.Node) {
	if other != nil {
		panic("the loss asks for both LogProb and CrossEntropy: let NegLogLikelihood take the place of the latter")
	}
}

// Weight is Batch.Weight over the normaliser of the step, [R].
func (o *Outputs) Weight() *G.Node {
	return once(&o.weight, func() *G.Node { return o.n.input("weight", o.n.feed.weight) })
}

// SeqLogProb is the log-probability of each sequence: the sum of SeqWeight*LogProb
// over its readouts, [S].
func (o *Outputs) SeqLogProb() *G.Node {
	return once(&o.seqLogProb, func() *G.Node { return o.n.sequenceSum(o.LogProb()) })
}

// Reference is Batch.Reference, [S].
func (o *Outputs) Reference() *G.Node {
	return once(&o.reference, func() *G.Node { return o.n.input("reference", o.n.feed.reference) })
}

// Value is the output of the value head at row Batch.Value[s], [S].
func (o *Outputs) Value() *G.Node {
	return once(&o.value, func() *G.Node { return o.n.score(o.normed(sequences), o.n.params.valueHead()) })
}

// PairWeight is Pair.Weight over the normaliser of the step, [P].
func (o *Outputs) PairWeight() *G.Node {
	return once(&o.pairWeight, func() *G.Node { return o.n.input("pair weight", o.n.feed.pairWeight) })
}

// Margin is Pair.Margin, [P].
func (o *Outputs) Margin() *G.Node {
	return once(&o.marg, func() *G.Node { return o.n.input("margin", o.n.feed.margin) })
}

// Chosen picks x [S] at each pair's chosen sequence, [P].
func (o *Outputs) Chosen(x *G.Node) *G.Node {
	return o.n.pick("chosen", x, func() []int32 { return o.n.feed.chosen })
}

// Rejected picks x [S] at each pair's rejected sequence, [P].
func (o *Outputs) Rejected(x *G.Node) *G.Node {
	return o.n.pick("rejected", x, func() []int32 { return o.n.feed.rejected })
}

// Logits is the whole of the head's output, [R, VocabSize]. It is for looking
// at; training never holds it.
func (o *Outputs) Logits() *G.Node { return o.n.logits(o.normed(reads), o.n.params.Head) }

// normed returns the normalised hidden states of the rows that are read, along a.
func (o *Outputs) normed(a axis) *G.Node {
	return o.n.norm(o.n.gather(o.hidden, a), o.n.params.Norm, a, nil)
}

// gather picks the rows of x [tokens, d] that are read along a: [a, d]. A row
// may be read more than once.
func (n *network) gather(x *G.Node, a axis) *G.Node {
	d := n.params.Config.HiddenSize
	rows := func() []int32 {
		if a == sequences {
			return n.feed.batch.Value
		}
		return n.feed.batch.Read
	}
	o := &graph.Op{Name: "gather", Out: n.buffer(a, d), Wrt: []bool{true}}
	o.Forward = func(in []G.Value) { kernel.Gather(o.Out.Data, graph.Floats(in[0]), rows(), d) }
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		back := &graph.Op{Name: "gather.grad", Out: n.buffer(tokens, d)}
		back.Forward = func(in []G.Value) {
			kernel.GatherGrad(back.Out.Data, graph.Floats(in[0]), rows(), n.feed.extent(tokens), d)
		}
		return G.Nodes{back.Apply(dy)}, nil
	}
	return o.Apply(x)
}

// score returns h·w, [sequences], of h [sequences, d] and the value head w [1, d].
func (n *network) score(h *G.Node, w *Param) *G.Node {
	d := w.Shape[1]
	o := &graph.Op{Name: "score", Out: n.buffer(sequences), Wrt: []bool{true, w.G != nil}}
	o.Flops = n.perRow(sequences, 2*d)
	o.Forward = func(in []G.Value) {
		active := n.feed.extent(sequences)
		n.params.Precision.Linear(o.Out.Data, graph.Floats(in[0]), graph.Floats(in[1]), nil, active, d, 1)
		n.feed.result.Value = publish(n.feed.result.Value, o.Out.Data, active)
	}
	o.Gradient = func(in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		return n.linearGrad(o, in, dy, w, sequences), nil
	}
	return o.Apply(h, n.param(w))
}

// sequenceSum returns the weighted sum of x [reads] over each sequence, [sequences].
func (n *network) sequenceSum(x *G.Node) *G.Node {
	o := &graph.Op{Name: "sequences", Out: n.buffer(sequences), Wrt: []bool{true}}
	o.Forward = func(in []G.Value) {
		b := n.feed.batch
		kernel.SegmentSum(o.Out.Data[:b.Sequences], graph.Floats(in[0])[:len(b.Read)], b.SeqWeight, b.Seq)
		n.feed.result.SeqLogProb = publish(n.feed.result.SeqLogProb, o.Out.Data, b.Sequences)
	}
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		back := &graph.Op{Name: "sequences.grad", Out: n.buffer(reads)}
		back.Forward = func(in []G.Value) {
			b, dsum := n.feed.batch, graph.Floats(in[0])
			clear(back.Out.Data)
			for r, s := range b.Seq {
				if s >= 0 {
					back.Out.Data[r] = b.SeqWeight[r] * dsum[s]
				}
			}
		}
		return G.Nodes{back.Apply(dy)}, nil
	}
	return o.Apply(x)
}

// pick returns x[index[p]] for each pair, [pairs].
func (n *network) pick(name string, x *G.Node, index func() []int32) *G.Node {
	o := &graph.Op{Name: name, Out: n.buffer(pairs), Wrt: []bool{true}}
	o.Forward = func(in []G.Value) {
		clear(o.Out.Data)
		kernel.Gather(o.Out.Data, graph.Floats(in[0]), index(), 1)
	}
	o.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) {
		back := &graph.Op{Name: name + ".grad", Out: n.buffer(sequences)}
		back.Forward = func(in []G.Value) {
			clear(back.Out.Data)
			kernel.GatherGrad(back.Out.Data, graph.Floats(in[0]), index(), n.feed.extent(sequences), 1)
		}
		return G.Nodes{back.Apply(dy)}, nil
	}
	return o.Apply(x)
}
