package gguf

import (
	"encoding/binary"
	"math"

	"github.com/herd-lm/herd/core/half"
)

// The blocks of 32 elements. Every product is rounded before an addition (float32(a*b) + c).
// Otherwise arm64 would fuse the two, and processors would write different bits.

// A block of Q8_0 is the scale d, a half, and 32 signed bytes q: x = d*q.

func decodeQ8_0(dst []float32, src []byte) {
	d := readF16(src)
	for i, q := range src[2:34] {
		dst[i] = float32(int8(q)) * d
	}
}

func encodeQ8_0(dst []byte, src []float32) {
	d := abs(extreme(src)) / 127
	putF16(dst, d)
	inverse := reciprocal(d)
	for i, x := range src {
		dst[2+i] = byte(int8(math.Round(float64(x * inverse))))
	}
}

// extreme returns the first element of the largest magnitude, with its sign.
func extreme(x []float32) float32 {
	best := float32(0)
	for _, v := range x {
		if abs(v) > abs(best) {
			best = v
		}
	}
	return best
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// reciprocal returns 1/d, and 0 for 0.
func reciprocal(d float32) float32 {
	if d == 0 {
		return 0
	}
	return 1 / d
}

// A block of Q4_0 is the scale d and 32 numbers q of four bits: x = d*(q-8). The
// low halves of its 16 bytes are the first 16 elements, the high ones the others.

func decodeQ4_0(dst []float32, src []byte) {
	d := readF16(src)
	for i, q := range src[2:18] {
		dst[i] = float32(int(q&15)-8) * d
		dst[i+16] = float32(int(q>>4)-8) * d
	}
}

func encodeQ4_0(dst []byte, src []float32) {
	d := extreme(src) / -8
	putF16(dst, d)
	inverse := reciprocal(d)
	for i := range 16 {
		dst[2+i] = quantum(src[i], inverse, 8.5, 15) | quantum(src[i+16], inverse, 8.5, 15)<<4
	}
}

// quantum returns x*inverse + up, truncated and limited to last. up is the middle of the range
// plus a half, so that truncation rounds.
func quantum(x, inverse, up float32, last int8) byte {
	return byte(min(last, int8(float32(x*inverse)+up)))
}

// Q4_1 also has a smallest value m: x = d*q + m.

func decodeQ4_1(dst []float32, src []byte) {
	d, m := readF16(src), readF16(src[2:])
	for i, q := range src[4:20] {
		dst[i] = float32(float32(q&15)*d) + m
		dst[i+16] = float32(float32(q>>4)*d) + m
	}
}

// A block of Q5_0 is d, the fifth bits of all elements in one word, and the other
// four as in Q4_0: x = d*(q-16).

func decodeQ5_0(dst []float32, src []byte) {
	d := readF16(src)
	for i, q := range src[6:22] {
		dst[i] = float32(int(q&15|fifth(src[2:], i))-16) * d
		dst[i+16] = float32(int(q>>4|fifth(src[2:], i+16))-16) * d
	}
}

// fifth returns 16 if bit i of word is set, else 0.
func fifth(word []byte, i int) byte { return word[i/8] >> (i % 8) & 1 << 4 }

func encodeQ5_0(dst []byte, src []float32) {
	d := extreme(src) / -16
	putF16(dst, d)
	inverse := reciprocal(d)
	clear(dst[2:6])
	for i := range 16 {
		low, high := quantum(src[i], inverse, 16.5, 31), quantum(src[i+16], inverse, 16.5, 31)
		dst[6+i] = low&15 | high<<4
		dst[2+i/8] |= low >> 4 << (i % 8)
		dst[4+i/8] |= high >> 4 << (i % 8)
	}
}

// Q5_1 also has a smallest value m: x = d*q + m.

func decodeQ5_1(dst []float32, src []byte) {
	d, m := readF16(src), readF16(src[2:])
	for i, q := range src[8:24] {
		dst[i] = float32(float32(q&15|fifth(src[4:], i))*d) + m
		dst[i+16] = float32(float32(q>>4|fifth(src[4:], i+16))*d) + m
	}
}

// readF16 returns the binary16 number at the start of b.
func readF16(b []byte) float32 { return half.FromF16(binary.LittleEndian.Uint16(b)) }

// putF16 stores x at the start of b, rounded to a binary16 number.
func putF16(b []byte, x float32) { binary.LittleEndian.PutUint16(b, toF16(x)) }
