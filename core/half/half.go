// Package half converts between float32 and the two 16-bit floating-point types that
// weights are stored in: IEEE 754 binary16 (F16) and bfloat16 (BF16). Widening is exact.
// Narrowing rounds to the nearest number, of two equally near ones to the even one.
//
// Start with DecodeF16 and DecodeBF16 for the bytes of a file, which are little-endian,
// or with FromBF16 for one number in memory.
package half

import (
	"encoding/binary"
	"math"
)

// FromF16 widens a binary16 number: its bits, put where float32 has its exponent and
// fraction, are the number over 2^112.
func FromF16(h uint16) float32 {
	b := uint32(h)
	if b&0x7c00 == 0x7c00 { // infinity or NaN
		return math.Float32frombits(b&0x8000<<16 | 0xff<<23 | b&0x3ff<<13)
	}
	return math.Float32frombits(b&0x8000<<16|b&0x7fff<<13) * 0x1p112
}

// ToF16 rounds x to a binary16 number, or to infinity if x is too large. A binary16
// number comes back with the same bits, even a NaN.
func ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	sign, size := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case size > 0x7f800000: // NaN
		return sign | notInfinite(0x7c00|uint16(size>>13&0x3ff), 0x3ff)
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

// FromBF16 widens a bfloat16 number, which is the upper half of a float32.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBF16 rounds x to a bfloat16 number. A bfloat16 number comes back with the same bits,
// even a NaN.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return notInfinite(uint16(b>>16), 0x7f)
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// notInfinite returns the narrowed NaN h with a fraction that is not zero, which would
// make it an infinity. fraction is the mask of the fraction.
func notInfinite(h, fraction uint16) uint16 {
	if h&fraction == 0 {
		h |= (fraction + 1) >> 1
	}
	return h
}

// DecodeF16 widens the binary16 numbers in src [2*len(dst)] into dst.
func DecodeF16(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = FromF16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// EncodeF16 rounds src to binary16 numbers in the first 2*len(src) bytes of dst.
func EncodeF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], ToF16(x))
	}
}

// DecodeBF16 widens the bfloat16 numbers in src [2*len(dst)] into dst.
func DecodeBF16(dst []float32, src []byte) {
	for len(dst) >= 4 && len(src) >= 8 {
		four := binary.LittleEndian.Uint64(src)
		dst[0] = math.Float32frombits(uint32(four) << 16)
		dst[1] = math.Float32frombits(uint32(four) & 0xffff0000)
		dst[2] = math.Float32frombits(uint32(four>>32) << 16)
		dst[3] = math.Float32frombits(uint32(four>>32) & 0xffff0000)
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = FromBF16(binary.LittleEndian.Uint16(src[2*i:]))
	}
}

// EncodeBF16 rounds src to bfloat16 numbers in the first 2*len(src) bytes of dst.
func EncodeBF16(dst []byte, src []float32) {
	for i, x := range src {
		binary.LittleEndian.PutUint16(dst[2*i:], ToBF16(x))
	}
}
