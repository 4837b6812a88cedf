package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/half"
)

// Type is the storage of a tensor's elements (ggml_type in ggml.h): plain, or quantised in blocks
// that share a scale.
type Type uint32

// The types that herd reads. It writes all except Q4_1, Q5_1 and Q5_K.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8_0 Type = 8
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
	BF16 Type = 30
)

// format describes a type: its name, the elements and bytes of a block, and the conversion of
// whole blocks. herd does not write types without encode.
type format struct {
	name         string
	block, bytes int
	decode       func(dst []float32, src []byte)
	encode       func(dst []byte, src []float32)
}

var formats = map[Type]format{
	F32:  {"F32", 1, 4, decodeF32, encodeF32},
	F16:  {"F16", 1, 2, half.DecodeF16, encodeF16},
	BF16: {"BF16", 1, 2, half.DecodeBF16, encodeBF16},
	Q8_0: blocks("Q8_0", 32, 34, decodeQ8_0, encodeQ8_0),
	Q4_0: blocks("Q4_0", 32, 18, decodeQ4_0, encodeQ4_0),
	Q4_1: blocks("Q4_1", 32, 20, decodeQ4_1, nil),
	Q5_0: blocks("Q5_0", 32, 22, decodeQ5_0, encodeQ5_0),
	Q5_1: blocks("Q5_1", 32, 24, decodeQ5_1, nil),
	Q4_K: blocks("Q4_K", 256, 144, decodeQ4_K, encodeQ4_K),
	Q5_K: blocks("Q5_K", 256, 176, decodeQ5_K, nil),
	Q6_K: blocks("Q6_K", 256, 210, decodeQ6_K, encodeQ6_K),
}

// blocks returns the format of a type that converts block by block.
func blocks(name string, block, bytes int, decode func([]float32, []byte), encode func([]byte, []float32)) format {
	f := format{name: name, block: block, bytes: bytes}
	f.decode = func(dst []float32, src []byte) {
		for ; len(dst) > 0; dst, src = dst[block:], src[bytes:] {
			decode(dst[:block], src[:bytes])
		}
	}
	if encode != nil {
		f.encode = func(dst []byte, src []float32) {
			for ; len(src) > 0; dst, src = dst[bytes:], src[block:] {
				encode(dst[:bytes], src[:block])
			}
		}
	}
	return f
}

func (t Type) String() string {
	if f, ok := formats[t]; ok {
		return f.name
	}
	return fmt.Sprintf("number %d", uint32(t))
}

func typeNames() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Block returns the number of elements of a block. Rows must be multiples of it.
func (t Type) Block() int { return formats[t].block }

// Bytes returns the size of n elements, in whole blocks.
func (t Type) Bytes(n int) int64 {
	f := formats[t]
	return int64(n/f.block) * int64(f.bytes)
}

// Encode stores src, whole blocks of finite numbers, in the first Bytes(len(src)) bytes of dst,
// with the bits of ggml's reference (quantize_row_*_ref in ggml-quants.c). It panics for types
// that herd does not write.
func (t Type) Encode(dst []byte, src []float32) { formats[t].encode(dst, src) }

// Decode is the inverse of Encode, as close as the type allows.
func (t Type) Decode(dst []float32, src []byte) { formats[t].decode(dst, src) }

func decodeF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func encodeF32(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
	}
}
