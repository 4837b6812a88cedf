package model

import (
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/train/optim"
)

// Arrays holds tensors in one flat array, and their gradients in another, so that the
// optimiser, clipping and averaging are single passes.
type Arrays struct {
	W, G []float32 // G is nil unless the tensors are trained
	// Tensors are in order and have their names from the checkpoint.
	Tensors []*Param
}

// Trainable is the weights that a run changes: all those of a model, or those of an adapter.
type Trainable interface {
	Flat() *Arrays
	// SaveAs writes the weights, rounded to float32, float16 or bfloat16, and their
	// description to a directory, which must exist. ReadFrom reads them back.
	SaveAs(dir, dtype string) error
	ReadFrom(dir string) error
}

// Flat returns a itself.
func (a *Arrays) Flat() *Arrays { return a }

// Count returns the number of elements.
func (a *Arrays) Count() int {
	if len(a.Tensors) == 0 {
		return 0
	}
	last := a.Tensors[len(a.Tensors)-1]
	return last.offset + last.size()
}

// Matrices returns the ranges of the flat array that weight decay applies to: everything but
// vectors, which are norms, biases and magnitudes.
func (a *Arrays) Matrices() []optim.Range {
	var ranges []optim.Range
	for _, t := range a.Tensors {
		if len(t.Shape) > 1 {
			ranges = append(ranges, optim.Range{Start: t.offset, End: t.offset + t.size()})
		}
	}
	return ranges
}

// allocate allocates the arrays, all zero, and binds the windows to them. Without gradients,
// G is nil.
func (a *Arrays) allocate(gradients bool, windows []*Param) {
	n := a.Count()
	a.W = memory.Floats(n)
	if gradients {
		a.G = memory.Floats(n)
	}
	for _, t := range windows {
		t.bind(a)
	}
}

// tensor appends a tensor.
func (a *Arrays) tensor(name string, shape ...int) *Param {
	t := &Param{Name: name, Shape: shape, offset: a.Count()}
	a.Tensors = append(a.Tensors, t)
	return t
}

func (t *Param) size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

func (t *Param) bind(a *Arrays) {
	t.W = a.W[t.offset : t.offset+t.size() : t.offset+t.size()]
	if a.G != nil {
		t.G = a.G[t.offset : t.offset+t.size() : t.offset+t.size()]
	}
}

// fused returns one matrix over tensors that lie one after another, or one vector.
func fused(name string, parts ...*Param) *Param {
	shape := append([]int(nil), parts[0].Shape...)
	for _, t := range parts[1:] {
		shape[0] += t.Shape[0]
	}
	return &Param{Name: name, Shape: shape, offset: parts[0].offset}
}
