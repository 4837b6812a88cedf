package checkpoint

import (
	"encoding/binary"
	"math"
)

// dtype is how one element is stored. Those without a decoder can be listed but
// not read: they are not weights of a Llama.
type dtype struct {
	bits   int
	decode func(dst []float32, src []byte)
}

// dtypes are the element types of safetensors 0.6 (tensor.rs, enum Dtype).
var dtypes = map[string]dtype{
	"F64":  {64, decodeF64},
	"F32":  {32, decodeF32},
	"F16":  {16, decodeF16},
	"BF16": {16, decodeBF16},

	"BOOL": {8, nil}, "U8": {8, nil}, "I8": {8, nil},
	"U16": {16, nil}, "I16": {16, nil},
	"U32": {32, nil}, "I32": {32, nil},
	"U64": {64, nil}, "I64": {64, nil}, "C64": {64, nil},
	"F8_E5M2": {8, nil}, "F8_E4M3": {8, nil}, "F8_E8M0": {8, nil},
	"F6_E2M3": {6, nil}, "F6_E3M2": {6, nil}, "F4": {4, nil},
}

func decodeF64(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
	}
}

func decodeF32(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

func decodeBF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func decodeF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = halfToFloat(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// halfToFloat widens an IEEE 754 binary16 number, which is exact.
func halfToFloat(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24
		return math.Float32frombits(math.Float32bits(float32(fraction)*0x1p-24) | sign)
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	default:
		return math.Float32frombits(sign | (exponent-15+127)<<23 | fraction<<13)
	}
}

// encodeF32 writes src into the first 4*len(src) bytes of dst.
func encodeF32(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint32(dst[4*i:], math.Float32bits(x))
	}
}
