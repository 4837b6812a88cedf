package checkpoint

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/herd-lm/herd/core/half"
)

// The element types that herd writes.
const (
	F32  = "F32"
	F16  = "F16"
	BF16 = "BF16"
)

// dtype describes how one element is stored. herd can list a type without a decoder but not
// read it, and cannot write a type without an encoder: no weights of a Llama have these types.
type dtype struct {
	bits   int
	decode func(dst []float32, src []byte)
	encode func(dst []byte, src []float32)
}

// dtypes are the element types of safetensors 0.6 (tensor.rs, enum Dtype).
var dtypes = map[string]dtype{
	"F64": {64, decodeF64, nil},
	F32:   {32, decodeF32, encodeF32},
	F16:   {16, half.DecodeF16, half.EncodeF16},
	BF16:  {16, half.DecodeBF16, half.EncodeBF16},

	"BOOL": {bits: 8}, "U8": {bits: 8}, "I8": {bits: 8},
	"U16": {bits: 16}, "I16": {bits: 16},
	"U32": {bits: 32}, "I32": {bits: 32},
	"U64": {bits: 64}, "I64": {bits: 64}, "C64": {bits: 64},
	"F8_E5M2": {bits: 8}, "F8_E4M3": {bits: 8}, "F8_E8M0": {bits: 8},
	"F6_E2M3": {bits: 6}, "F6_E3M2": {bits: 6}, "F4": {bits: 4},
}

func decodeF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

func decodeF32(dst []float32, src []byte) {
	if littleEndian {
		copy(bytesOf(dst), src)
		return
	}
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// encodeF32 writes src into the first 4*len(src) bytes of dst.
func encodeF32(dst []byte, src []float32) {
	if littleEndian {
		copy(dst, bytesOf(src))
		return
	}
	for i, x := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
	}
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf returns the memory of x.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
