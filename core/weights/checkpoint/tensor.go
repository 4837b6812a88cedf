package checkpoint

import "fmt"

// Tensor is a named array in row-major order. len(Data) is the product of Shape. A scalar has
// an empty Shape.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Info describes a tensor of a file.
type Info struct {
	Name  string
	DType string // as safetensors spells it: "F32", "BF16", "I64", ...
	Shape []int

	start, end int64 // bytes of the file's data section
	size       int   // product of Shape
}

// Len returns the number of elements: the length of the slice that Read needs.
func (i Info) Len() int { return i.size }

// Bytes returns the size of the tensor in the file.
func (i Info) Bytes() int64 { return i.end - i.start }

// Reader reads tensors by name. File and Model implement it, and so do adapters of their names.
type Reader interface {
	Names() []string                       // in the order of the data
	Info(name string) (Info, bool)         // false if there is no such tensor
	Read(name string, dst []float32) error // into Info.Len() elements
}

// elements returns the product of shape, in an int.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d != 0 && n > maxInt/d {
			return 0, fmt.Errorf("shape %v has more elements than fit into an int", shape)
		}
		n *= d
	}
	return n, nil
}

const maxInt = int(^uint(0) >> 1)
