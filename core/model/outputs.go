package model

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
)

// Expr is an expression over the outputs of a model, with the arithmetic that losses need:
// see graph.Expr.
type Expr = graph.Expr

// Const returns a constant expression.
func Const(c float64) Expr { return graph.Const(c) }

// Outputs are the expressions that a loss is built from. The graph computes only those
// that the loss uses. Vectors have the capacity of their axis: R readouts, S sequences,
// P pairs. Beyond the current batch they are zero, and so are the weights.
type Outputs struct {
	n      *network
	hidden *G.Node

	crossEntropy, logProb, seqLogProb, logRatio, value Expr
	weight, reference, pairWeight, margin              Expr
}

// once returns *x, building it first if it is empty.
func once(x *Expr, build func() Expr) Expr {
	if x.IsZero() {
		*x = build()
	}
	return *x
}

// input returns *x, which is over the vector v of the feed.
func (o *Outputs) input(x *Expr, name string, v []float32) Expr {
	return once(x, func() Expr { return graph.NewExpr(o.n.input(name, v)) })
}

// LogProb is log p(Target[r] | what row Read[r] has seen), [R]. Its gradient computes
// the logits again. A loss can use LogProb or CrossEntropy, not both.
func (o *Outputs) LogProb() Expr {
	return once(&o.logProb, func() Expr {
		refuse(o.crossEntropy)
		return graph.NewExpr(o.n.headLogProb(o.normed(reads), o.n.params.Head))
	})
}

// CrossEntropy is -Σ Weight*LogProb, a scalar. Its gradient is computed in the same
// pass: nothing may multiply it on the way to the loss.
func (o *Outputs) CrossEntropy() Expr {
	return once(&o.crossEntropy, func() Expr {
		refuse(o.logProb)
		return graph.NewExpr(o.n.crossEntropy(o.normed(reads), o.n.params.Head))
	})
}

// refuse fails the building of the graph if the head has another output already: each
// would set the gradient of its weights.
func refuse(other Expr) {
	if !other.IsZero() {
		panic("the loss uses both LogProb and CrossEntropy: replace the latter with NegLogLikelihood")
	}
}

// SeqLogProb is the log-probability of each sequence, [S]: the sum of SeqWeight*LogProb
// over its readouts.
func (o *Outputs) SeqLogProb() Expr {
	return once(&o.seqLogProb, func() Expr { return o.LogProb().Apply("SeqLogProb", o.n.sequenceSum) })
}

// Reference is Batch.Reference, [S]: the sequences' log-probabilities under another model.
func (o *Outputs) Reference() Expr { return o.input(&o.reference, "reference", o.n.feed.reference) }

// LogRatio is SeqLogProb - Reference, [S].
func (o *Outputs) LogRatio() Expr {
	return once(&o.logRatio, func() Expr { return o.SeqLogProb().Sub(o.Reference()) })
}

// Value is the output of the value head at row Batch.Value[s], [S].
func (o *Outputs) Value() Expr {
	return once(&o.value, func() Expr {
		return graph.NewExpr(o.n.score(o.normed(sequences), o.n.params.valueHead()))
	})
}

// Weight is Batch.Weight over the normaliser of the step, [R].
func (o *Outputs) Weight() Expr { return o.input(&o.weight, "weight", o.n.feed.weight) }

// PairWeight is Pair.Weight over the normaliser of the step, [P].
func (o *Outputs) PairWeight() Expr {
	return o.input(&o.pairWeight, "pair weight", o.n.feed.pairWeight)
}

// Margin is Pair.Margin, [P].
func (o *Outputs) Margin() Expr { return o.input(&o.margin, "margin", o.n.feed.margin) }

// Chosen picks x [S] at each pair's chosen sequence, [P].
func (o *Outputs) Chosen(x Expr) Expr {
	return o.n.pick("chosen", x, func() []int32 { return o.n.feed.chosen })
}

// Rejected picks x [S] at each pair's rejected sequence, [P].
func (o *Outputs) Rejected(x Expr) Expr {
	return o.n.pick("rejected", x, func() []int32 { return o.n.feed.rejected })
}

// PairDifference returns Chosen(x) - Rejected(x), [P], of x [S].
func (o *Outputs) PairDifference(x Expr) Expr { return o.Chosen(x).Sub(o.Rejected(x)) }

// MeanOverPairs returns the mean of x [P] over the pairs of the step, weighted by
// PairWeight. x must be finite where the weight is 0.
func (o *Outputs) MeanOverPairs(x Expr) Expr { return o.PairWeight().Dot(x) }

// Logits is the whole output of the head, [R, VocabSize], for inspection. Training never
// stores it.
func (o *Outputs) Logits() Expr {
	return graph.NewExpr(o.n.logits(o.normed(reads), o.n.params.Head))
}

// normed returns the normalised hidden states of the rows that are read along a.
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
func (n *network) sequenceSum(x *G.Node) (*G.Node, error) {
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
	return o.Apply(x), nil
}

// pick returns x[index[p]] for each pair, [pairs], of x [sequences].
func (n *network) pick(name string, x Expr, index func() []int32) Expr {
	return x.Apply(name, func(x *G.Node) (*G.Node, error) {
		if want := (tensor.Shape{n.capacity.Sequences}); !x.Shape().Eq(want) {
			return nil, fmt.Errorf("expected one element for each of %d sequences", n.capacity.Sequences)
		}
		return n.pickNode(name, x, index), nil
	})
}

func (n *network) pickNode(name string, x *G.Node, index func() []int32) *G.Node {
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
