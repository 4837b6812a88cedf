package checkpoint

import (
	"encoding/binary"
	"math"
	"unsafe"
)

// The element types that weights are written in.
const (
	F32  = "F32"
	F16  = "F16"
	BF16 = "BF16"
)

// dtype is how one element is stored. Those without a decoder can be listed but
// not read, those without an encoder not written: they are not weights of a Llama.
type dtype struct {
	bits   int
	decode func(dst []float32, src []byte)
	encode func(dst []byte, src []float32)
}

// dtypes are the element types of safetensors 0.6 (tensor.rs, enum Dtype).
var dtypes = map[string]dtype{
	"F64": {64, decodeF64, nil},
	F32:   {32, decodeF32, encodeF32},
	F16:   {16, decodeF16, encodeF16},
	BF16:  {16, decodeBF16, encodeBF16},

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

func decodeBF16(dst []float32, src []byte) {
	for len(dst) >= 4 && len(src) >= 8 {
		four := binary.LittleEndian.Uint64(src)
		dst[0] = math.Float32frombits(uint32(four) << 16)
		dst[1] = math.Float32frombits(uint32(four) & 0xffff0000)
		dst[2] = math.Float32frombits(uint32(four>>32) << 16)
		dst[3] = math.Float32frombits(uint32(four>>32) & 0xffff0000)
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func decodeF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// halfToFloat widens an IEEE 754 binary16 number, which is exact: the bits, put
// where float32 has its exponent and fraction, are the number over 2^112.
func halfToFloat(half uint16) float32 {
	h := uint32(half)
	if h&0x7c00 == 0x7c00 { // infinity or NaN
		return math.Float32frombits(h&0x8000<<16 | 0xff<<23 | h&0x3ff<<13)
	}
	return math.Float32frombits(h&0x8000<<16|h&0x7fff<<13) * 0x1p112
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

// encodeBF16 rounds src to nearest even into the first 2*len(src) bytes of dst.
func encodeBF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], floatToBFloat(x))
	}
}

// encodeF16 rounds src to nearest even into the first 2*len(src) bytes of dst.
func encodeF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], floatToHalf(x))
	}
}

// floatToBFloat rounds to the nearest bfloat16, of two to the even one. What is a
// bfloat16 already comes back the same bit for bit, NaNs too.
func floatToBFloat(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return quiet(uint16(b>>16), 0x7f)
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// quiet returns the narrowed NaN h with a fraction that is not zero: else it
// would be an infinity. fraction is the mask of it.
func quiet(h, fraction uint16) uint16 {
	if h&fraction == 0 {
		h |= (fraction + 1) >> 1
	}
	return h
}

// floatToHalf rounds to the nearest IEEE 754 binary16 number, of two to the even
// one. What is one already comes back the same bit for bit, NaNs too.
func floatToHalf(x float32) uint16 {
	b := math.Float32bits(x)
	sign, size := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case size > 0x7f800000: // NaN
		return sign | quiet(0x7c00|uint16(size>>13&0x3ff), 0x3ff)
	case size >= 0x477ff000: // rounds to 2^16 or more
		return sign | 0x7c00
	case size < 0x38800000: // below 2^-14: subnormal, a multiple of 2^-24
		// Adding 2^-1, whose last bit is 2^-24, rounds to a multiple of it.
		sum := math.Float32frombits(size) + 0.5
		return sign | uint16(math.Float32bits(sum)-math.Float32bits(0.5))
	default: // the exponent's bias goes from 127 to 15
		return sign | uint16((size-(127-15)<<23+0xfff+size>>13&1)>>13)
	}
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf returns the memory of x.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}
