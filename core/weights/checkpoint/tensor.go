package checkpoint

import "fmt"

// Tensor is a named array in row-major order. len(Data) is the product of Shape,
// which is empty for a scalar.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// Info says what a file holds under a name.
type Info struct {
	Name  string
	DType string // as safetensors spells it: "F32", "BF16", "I64", ...
	Shape []int

	start, end int64 // bytes of the file's data section
	size       int   // product of Shape
}

// Len returns the number of elements, which Read wants a slice of.
func (i Info) Len() int { return i.size }

// Bytes returns what the tensor takes in the file.
func (i Info) Bytes() int64 { return i.end - i.start }

// Reader is what a File, a Model and whoever adapts their names have in common.
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
			return 0, fmt.Errorf("shape %v has more elements than this machine can count", shape)
		}
		n *= d
	}
	return n, nil
}

const maxInt = int(^uint(0) >> 1)
