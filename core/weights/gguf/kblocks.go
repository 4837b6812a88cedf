package gguf

// The K-quants: super-blocks of 256 elements in groups. Each group has a scale (in Q4_K and Q5_K
// also a smallest value) that is itself quantised. As in blocks.go, no product is fused with a
// sum.

const superBlock = 256

// A block of Q4_K is d and dmin, halves; the 6-bit scales and minima of its eight
// groups of 32, in 12 bytes; and 4-bit numbers q: x = d*scale*q - dmin*min. 32
// bytes hold two groups, one in their low halves and one in the high ones.

func decodeQ4_K(dst []float32, src []byte) {
	d, dmin, packed, q := readF16(src), readF16(src[2:]), src[4:16], src[16:]
	for g := range 8 {
		s, m := scaleMin(packed, g)
		scale, least := d*float32(s), float32(dmin*float32(m))
		for i, b := range q[32*(g/2) : 32*(g/2)+32] {
			dst[32*g+i] = float32(scale*float32(b>>(4*(g%2))&15)) - least
		}
	}
}

// Q5_K has the fifth bits of all q in 32 bytes before them: bit g of byte i
// belongs to element i of group g.

func decodeQ5_K(dst []float32, src []byte) {
	d, dmin, packed, fifths, q := readF16(src), readF16(src[2:]), src[4:16], src[16:48], src[48:]
	for g := range 8 {
		s, m := scaleMin(packed, g)
		scale, least := d*float32(s), float32(dmin*float32(m))
		for i, b := range q[32*(g/2) : 32*(g/2)+32] {
			high := fifths[i] >> g & 1 << 4
			dst[32*g+i] = float32(scale*float32(b>>(4*(g%2))&15|high)) - least
		}
	}
}

// scaleMin unpacks the scale and the minimum of a group. The first four groups
// have theirs in the low six bits of a byte each; those of the others lie in four
// bytes of low halves, with their high bits on top of the first eight bytes.
func scaleMin(packed []byte, g int) (scale, least byte) {
	if g < 4 {
		return packed[g] & 63, packed[g+4] & 63
	}
	return packed[g+4]&15 | packed[g-4]>>6<<4, packed[g+4]>>4 | packed[g]>>6<<4
}

// putScaleMin is the inverse of scaleMin. Groups must come in order.
func putScaleMin(packed []byte, g int, scale, least byte) {
	if g < 4 {
		packed[g], packed[g+4] = scale, least
		return
	}
	packed[g+4] = scale&15 | least<<4
	packed[g-4] |= scale >> 4 << 6
	packed[g] |= least >> 4 << 6
}

// A block of Q6_K is the low four bits of q in 128 bytes, the high two in 64,
// signed 8-bit scales of sixteen groups of 16, and d: x = d*scale*(q-32). Of each
// half of 128 elements, byte i of 64 holds elements i and i+64, and byte i of 32
// the high bits of i, i+32, i+64 and i+96.

func decodeQ6_K(dst []float32, src []byte) {
	low, high, scales, d := src[:128], src[128:192], src[192:208], readF16(src[208:])
	for i := range dst[:superBlock] {
		h, e := i/128, i%128
		q := low[64*h+e%64]>>(4*(e/64))&15 | high[32*h+e%32]>>(2*(e/32))&3<<4
		dst[i] = float32(d*float32(int8(scales[i/16]))) * float32(int(q)-32)
	}
}

// putSixes packs the numbers q of a block of Q6_K.
func putSixes(low, high []byte, q *[superBlock]byte) {
	clear(low)
	clear(high)
	for i, v := range q {
		h, e := i/128, i%128
		low[64*h+e%64] |= v & 15 << (4 * (e / 64))
		high[32*h+e%32] |= v >> 4 << (2 * (e / 32))
	}
}
