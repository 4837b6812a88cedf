package model

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/herd-lm/herd/core/token"
)

// feed holds what the kernels of a graph read from the current run, and copies of the outputs
// for the caller: Gorgonia may compute in place on the value of a node once it no longer
// needs it.
type feed struct {
	batch      *token.Batch
	accumulate bool   // add to the gradients of the parameters instead of setting them
	draw       uint64 // seed of dropout

	// Inputs of the losses, at capacity, zero beyond the current batch.
	weight     []float32 // [R]
	reference  []float32 // [S]
	pairWeight []float32 // [P]
	margin     []float32 // [P]
	// Indices of the pairs' sequences, [P].
	chosen, rejected []int32

	result Result
}

// Result is the outcome of one run. Its slices are valid until the next run.
type Result struct {
	Loss       float64
	LogProb    []float32 // [R] log-probability of each target, if the loss uses it
	SeqLogProb []float32 // [S] weighted sum over each sequence, if the loss uses it
	Value      []float32 // [S] output of the value head, if the loss uses it
	Logits     []float32 // [R, VocabSize], if the loss uses it
}

func newFeed(capacity token.Size) *feed {
	return &feed{
		weight:     make([]float32, capacity.Reads),
		reference:  make([]float32, capacity.Sequences),
		pairWeight: make([]float32, capacity.Pairs),
		margin:     make([]float32, capacity.Pairs),
	}
}

// load sets the inputs to those of b, with every weight multiplied by scale.
func (f *feed) load(b *token.Batch, scale float64, accumulate bool) {
	f.batch, f.accumulate = b, accumulate
	r := f.result
	f.result = Result{LogProb: r.LogProb[:0], SeqLogProb: r.SeqLogProb[:0], Value: r.Value[:0], Logits: r.Logits[:0]}
	clear(f.weight)
	for r, w := range b.Weight {
		f.weight[r] = float32(float64(w) * scale)
	}
	clear(f.reference)
	copy(f.reference, b.Reference)
	clear(f.pairWeight)
	clear(f.margin)
	f.chosen, f.rejected = f.chosen[:0], f.rejected[:0]
	for i, p := range b.Pairs {
		f.pairWeight[i], f.margin[i] = float32(float64(p.Weight)*scale), p.Margin
		f.chosen, f.rejected = append(f.chosen, p.Chosen), append(f.rejected, p.Rejected)
	}
}

// extent returns how many rows of axis a the current batch has.
func (f *feed) extent(a axis) int { return along(a, f.batch.Size()) }

// input returns a node over a vector of the feed.
func (n *network) input(name string, v []float32) *G.Node {
	return G.NewVector(n.g, tensor.Float32, G.WithShape(len(v)), G.WithName(name),
		G.WithValue(tensor.New(tensor.WithShape(len(v)), tensor.WithBacking(v))))
}

// publish copies the first active elements of x for the caller, clears the rest of x and
// returns the copy.
func publish(dst, x []float32, active int) []float32 {
	clear(x[active:])
	return append(dst[:0], x[:active]...)
}
