package gguf

import (
	"encoding/binary"
	"math"
)

// half widens the IEEE 754 binary16 number at the start of b, which is exact.
func half(b []byte) float32 {
	h := binary.LittleEndian.Uint16(b)
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

// putHalf stores x as binary16 at the start of b, rounded to the nearest, ties to
// even; what is too large becomes infinity.
func putHalf(b []byte, x float32) { binary.LittleEndian.PutUint16(b, halfBits(x)) }

func halfBits(x float32) uint16 {
	bits := math.Float32bits(x)
	sign, magnitude := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case magnitude > 0xff<<23: // NaN
		return sign | 0x7e00
	case magnitude < (127-14)<<23: // subnormal or zero: adding 0.5 leaves x*2^24, rounded, in the low bits
		return sign | uint16(math.Float32bits(math.Float32frombits(magnitude)+0.5))
	case magnitude >= (127+16)<<23:
		return sign | 0x7c00
	}
	magnitude -= (127 - 15) << 23
	magnitude += 0xfff + magnitude>>13&1 // may carry into the exponent, up to infinity
	return sign | uint16(magnitude>>13)
}
