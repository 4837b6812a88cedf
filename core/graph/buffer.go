package graph

import (
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Buffer is the memory of one result of an Op. Data is nil until the plan of
// the graph is allocated; afterwards the slice and the Gorgonia value over it
// stay the same from run to run, so that a step allocates nothing.
type Buffer struct {
	Data []float32
	// Rows returns how many of the first dimension the current run fills; nil: all.
	Rows func() int

	shape  tensor.Shape
	value  G.Value
	pinned bool
	// first and last are the ranks of the nodes that write the buffer first and
	// read it last, which is after all nodes for a result of the graph; the arena
	// may give its place to another before and after.
	first, last int
}

// NewBuffer returns a buffer that the plan places in the shared arena.
func NewBuffer(shape ...int) *Buffer { return &Buffer{shape: shape} }

// Pin returns a buffer over memory that the caller owns and that outlives the
// run: the gradient of a parameter.
func Pin(data []float32, shape ...int) *Buffer {
	return &Buffer{Data: data, shape: shape, pinned: true}
}

// Len returns the number of elements.
func (b *Buffer) Len() int { return b.shape.TotalSize() }

// filled returns the number of elements that the current run reads or writes.
func (b *Buffer) filled() int {
	if b.Rows == nil {
		return b.Len()
	}
	return b.Rows() * b.shape[1:].TotalSize()
}

// bind makes the Gorgonia value over Data.
func (b *Buffer) bind() {
	b.value = tensor.New(tensor.WithShape(b.shape...), tensor.WithBacking(b.Data))
}

// Floats returns the memory of a float32 tensor value.
func Floats(v G.Value) []float32 { return v.(*tensor.Dense).Float32s() }
