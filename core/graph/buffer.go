package graph

import (
	"slices"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Buffer is the memory of one result of an Op. Data is nil until the graph's plan is
// allocated. From then on the slice and the Gorgonia value over it stay the same, so that a
// step allocates nothing.
type Buffer struct {
	Data []float32
	// Rows returns how many elements of the first dimension the current run fills. nil means
	// all of them.
	Rows func() int

	shape  tensor.Shape
	value  G.Value
	pinned bool
	// spans are the periods in which the buffer is in use, in order: one for each time that it
	// is computed (see Recompute). Between them the arena may reuse its place.
	spans []span
}

// span reaches from the rank of the node that writes a buffer to the rank of the last node
// that reads it. The span of a result of the graph ends after all nodes.
type span struct{ first, last int }

func (s span) meets(other span) bool { return s.first <= other.last && other.first <= s.last }

// begin starts a span.
func (b *Buffer) begin(rank int) { b.spans = append(b.spans, span{rank, rank}) }

// use extends the newest span.
func (b *Buffer) use(rank int) {
	if n := len(b.spans); n > 0 {
		b.spans[n-1].last = max(b.spans[n-1].last, rank)
	}
}

// meets reports whether b and other are in use at the same time.
func (b *Buffer) meets(other *Buffer) bool {
	return slices.ContainsFunc(b.spans, func(s span) bool { return slices.ContainsFunc(other.spans, s.meets) })
}

// NewBuffer returns a buffer that the plan places in the shared arena.
func NewBuffer(shape ...int) *Buffer { return &Buffer{shape: shape} }

// Pin returns a buffer over memory that the caller owns and that outlives the run, such as
// the gradient of a parameter.
func Pin(data []float32, shape ...int) *Buffer {
	return &Buffer{Data: data, shape: shape, pinned: true}
}

// Len returns the number of elements.
func (b *Buffer) Len() int { return b.shape.TotalSize() }

// filled returns how many elements the current run reads or writes.
func (b *Buffer) filled() int {
	if b.Rows == nil {
		return b.Len()
	}
	return b.Rows() * b.shape[1:].TotalSize()
}

// bind creates the Gorgonia value over Data.
func (b *Buffer) bind() {
	b.value = tensor.New(tensor.WithShape(b.shape...), tensor.WithBacking(b.Data))
}

// Floats returns the memory of a float32 tensor value.
func Floats(v G.Value) []float32 { return v.(*tensor.Dense).Float32s() }
