package checkpoint

import (
	"fmt"
	"io"
	"math"
)

// encoder writes tensors, a batch of elements at a time.
type encoder struct {
	w      io.Writer
	values []float32 // [encodeBatch]
	bytes  []byte
}

const (
	encodeBatch = 1 << 18 // elements to fetch and write at a time
	encodePiece = 1 << 16 // elements that a processor converts at a time
)

func newEncoder(w io.Writer) *encoder {
	return &encoder{w, make([]float32, encodeBatch), make([]byte, 4*encodeBatch)}
}

// tensor writes the elements of t in the order of the data.
func (e *encoder) tensor(t Source) error {
	n, err := elements(t.Shape)
	for from := 0; err == nil && from < n; from += encodeBatch {
		err = e.batch(t, from, e.values[:min(n-from, encodeBatch)])
	}
	return err
}

// batch writes the elements [from, from+len(values)). It uses values as its buffer.
func (e *encoder) batch(t Source, from int, values []float32) error {
	if err := t.Read(values, from); err != nil {
		return err
	}
	kind := dtypes[t.DType]
	width := kind.bits / 8
	err := inPieces(len(values), encodePiece, func(lo, hi int) error {
		kind.encode(e.bytes[lo*width:], values[lo:hi])
		return t.overflow(values[lo:hi], from+lo)
	})
	if err != nil {
		return err
	}
	_, err = e.w.Write(e.bytes[:width*len(values)])
	return err
}

// bytes returns the size of the tensor in a file.
func (t Source) bytes() int64 {
	n, _ := elements(t.Shape)
	return int64(n) * int64(dtypes[t.DType].bits/8)
}

// largest is the greatest float32 that still rounds to a finite number of the type.
var largest = map[string]float32{
	F32:  math.MaxFloat32,
	F16:  0x1.ffdffep15,
	BF16: 0x1.fefffep127,
}

// overflow returns an error for the first value that is finite but would not be finite in the
// type. from is the index of values[0] in the tensor.
func (t Source) overflow(values []float32, from int) error {
	if t.DType == F32 {
		return nil
	}
	most := largest[t.DType]
	for i, x := range values {
		if (x > most || x < -most) && !math.IsInf(float64(x), 0) {
			return fmt.Errorf("element %d is %g, too large for %s: write it in another type", from+i, x, t.DType)
		}
	}
	return nil
}
