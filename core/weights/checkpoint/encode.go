package checkpoint

import (
	"fmt"
	"io"
	"math"
)

// encoder writes tensors, some elements at a time.
type encoder struct {
	w      io.Writer
	values []float32 // [encodeBatch]
	bytes  []byte
}

const (
	encodeBatch = 1 << 18 // elements that are fetched and written at a time
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

// batch writes the elements from the given one on, as many as values has.
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

// bytes returns what the tensor takes in a file.
func (t Source) bytes() int64 {
	n, _ := elements(t.Shape)
	return int64(n) * int64(dtypes[t.DType].bits/8)
}

// largest is the greatest number that rounds to none larger than the type holds.
var largest = map[string]float32{
	F32:  math.MaxFloat32,
	F16:  0x1.ffdffep15,
	BF16: 0x1.fefffep127,
}

// overflow reports the first of the values that is finite, and would not be in the
// type. from is the index of the first.
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
