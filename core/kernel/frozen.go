package kernel

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/half"
	"github.com/herd-lm/herd/core/kernel/gemm"
	"github.com/herd-lm/herd/core/token"
)

// Storage is how read-only weights are stored in memory.
type Storage uint8

const (
	StoreFP32 Storage = iota // unchanged
	StoreBF16                // rounded to bfloat16, to nearest even: 2 bytes an element
	StoreInt8                // rounded to steps of 1/127 of the largest in a block: 1.06 bytes an element
)

var storages = []string{"fp32", "bf16", "int8"}

func (s Storage) String() string { return storages[s] }

// MarshalText returns "fp32", "bf16" or "int8".
func (s Storage) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the reverse of MarshalText.
func (s *Storage) UnmarshalText(text []byte) error {
	i := slices.Index(storages, string(text))
	if i < 0 {
		return fmt.Errorf("base_dtype is %q, expected fp32, bf16 or int8", text)
	}
	*s = Storage(i)
	return nil
}

// int8Block is how many adjacent elements of a row share a scale.
const int8Block = gemm.Int8Block

// Bytes returns the size of rows of d elements.
func (s Storage) Bytes(rows, d int) int64 {
	switch s {
	case StoreBF16:
		return 2 * int64(rows) * int64(d)
	case StoreInt8:
		return int64(rows) * int64(d+4*blocksOf(d))
	}
	return 4 * int64(rows) * int64(d)
}

func blocksOf(d int) int { return (d + int8Block - 1) / int8Block }

// Frozen is a read-only matrix [rows, d] that takes less memory than float32s.
type Frozen struct {
	storage Storage
	d       int
	words   []uint16  // StoreBF16: [rows, d]
	steps   []int8    // StoreInt8: [rows, d]
	scales  []float32 // StoreInt8: [rows, blocksOf(d)]
}

// NewFrozen returns a matrix of zeros in storage s, which must not be StoreFP32.
func NewFrozen(s Storage, rows, d int) *Frozen {
	f := &Frozen{storage: s, d: d}
	if s == StoreBF16 {
		f.words = make([]uint16, rows*d)
	} else {
		f.steps, f.scales = make([]int8, rows*d), make([]float32, rows*blocksOf(d))
	}
	return f
}

// Set copies w into the rows that begin with from. It keeps no reference to w.
func (f *Frozen) Set(from int, w []float32) {
	parallelRows(len(w)/f.d, f.d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f.set(from+i, w[i*f.d:][:f.d])
		}
	})
}

func (f *Frozen) set(i int, row []float32) {
	if f.storage == StoreBF16 {
		for k, v := range row {
			f.words[i*f.d+k] = half.ToBF16(v)
		}
		return
	}
	for b := range blocksOf(f.d) {
		from, end := b*int8Block, min(f.d, (b+1)*int8Block)
		f.scales[i*blocksOf(f.d)+b] = gemm.RoundInt8(f.steps[i*f.d+from:i*f.d+end], row[from:end])
	}
}

// Floats sets dst[to-from, d] to the rows [from, to) as float32s.
func (f *Frozen) Floats(dst []float32, from, to int) {
	parallelRows(to-from, f.d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f.row(dst[i*f.d:][:f.d], from+i)
		}
	})
}

func (f *Frozen) row(dst []float32, i int) {
	if f.storage == StoreBF16 {
		for k, w := range f.words[i*f.d:][:f.d] {
			dst[k] = half.FromBF16(w)
		}
		return
	}
	steps, scales := f.steps[i*f.d:][:f.d], f.scales[i*blocksOf(f.d):][:blocksOf(f.d)]
	for b, scale := range scales {
		end := min(f.d, (b+1)*int8Block)
		for k := b * int8Block; k < end; k++ {
			dst[k] = scale * float32(steps[k])
		}
	}
}

// Bytes returns the size of the matrix.
func (f *Frozen) Bytes() int64 {
	return 2*int64(len(f.words)) + int64(len(f.steps)) + 4*int64(len(f.scales))
}

// Embed is the function Embed with a frozen e.
func (f *Frozen) Embed(y []float32, ids []token.ID) {
	parallelRows(len(ids), f.d, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f.row(y[i*f.d:][:f.d], int(ids[i]))
		}
	})
}
