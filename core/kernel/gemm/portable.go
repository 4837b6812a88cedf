package gemm

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/cpu"
)

// portable is the path in plain Go. Its tile of 2x4 is the largest whose eight sums and six
// operands the Go compiler keeps in registers: 4x4 spills.
var portable = path{level: cpu.Generic, mr: 2, nr: 4, narrow: 4, perWord: 1, packed: packedPortable, direct: directPortable, across: acrossPortable, pack: packPortable, widen: widenPortable}

func packedPortable(tiles, words, rows, _ int, a, b, c, add []float32, stride int) {
	for t := range tiles {
		tilePortable(words, rows, a[t*words*rows:], rows, 1, b, c[t*rows*stride:], addFrom(add, t*rows*stride), stride)
	}
}

func directPortable(tiles, words, rows, _ int, a []float32, strideA int, b, c, add []float32, stride int) {
	for t := range tiles {
		tilePortable(words, rows, a[t*rows*strideA:], 1, strideA, b, c[t*rows*stride:], addFrom(add, t*rows*stride), stride)
	}
}

func acrossPortable(tiles, words, rows, _ int, a []float32, strideA int, b, c, add []float32, stride int) {
	for t := range tiles {
		tilePortable(words, rows, a[t*rows:], strideA, 1, b, c[t*rows*stride:], addFrom(add, t*rows*stride), stride)
	}
}

// tilePortable computes rows rows, 1 or 2. Elements of a are step apart in depth and gap apart
// from row to row.
func tilePortable(words, rows int, a []float32, step, gap int, b, c, add []float32, stride int) {
	if rows == 1 {
		tile1x4(a[:(words-1)*step+1], step, b[:4*words], c, add)
		return
	}
	var c00, c01, c02, c03, c10, c11, c12, c13 float32
	a0, a1, b := a[:(words-1)*step+1], a[gap:][:(words-1)*step+1], b[:4*words]
	for k := 0; k < len(a0) && k < len(a1) && len(b) >= 4; k += step {
		x0, x1 := a0[k], a1[k]
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		c00 += x0 * b0
		c01 += x0 * b1
		c02 += x0 * b2
		c03 += x0 * b3
		c10 += x1 * b0
		c11 += x1 * b1
		c12 += x1 * b2
		c13 += x1 * b3
		b = b[4:]
	}
	store4(c, add, c00, c01, c02, c03)
	if add != nil {
		add = add[stride:]
	}
	store4(c[stride:], add, c10, c11, c12, c13)
}

func tile1x4(a []float32, step int, b, c, add []float32) {
	var c0, c1, c2, c3 float32
	for k := 0; k < len(a) && len(b) >= 4; k += step {
		c0 += a[k] * b[0]
		c1 += a[k] * b[1]
		c2 += a[k] * b[2]
		c3 += a[k] * b[3]
		b = b[4:]
	}
	store4(c, add, c0, c1, c2, c3)
}

func store4(c, add []float32, s0, s1, s2, s3 float32) {
	c = c[:4]
	if add != nil {
		add = add[:4]
		s0, s1, s2, s3 = s0+add[0], s1+add[1], s2+add[2], s3+add[3]
	}
	c[0], c[1], c[2], c[3] = s0, s1, s2, s3
}

func packPortable(dst []float32, o Operand, i, lines, k, kc, width int) {
	dst = dst[:kc*width]
	if o.Columns {
		for q := range kc {
			copy(dst[q*width:][:lines], o.Data[o.at(i, k+q):])
		}
		return
	}
	for r := range lines {
		packLine(dst[r:], o.Data[o.at(i+r, k):][:kc], width)
	}
}

// packLine writes line to every width-th element of dst.
func packLine(dst, line []float32, width int) {
	for q, v := range line {
		dst[q*width] = v
	}
}

// roundAll sets dst to src rounded to bfloat16, to nearest even. Denormals become 0, as with the
// instruction VCVTNE2PS2BF16.
func roundAll(dst, src []float32) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] = math.Float32frombits(uint32(roundBF16(v)) << 16)
	}
}

// roundBF16 returns the bits of v as a bfloat16.
func roundBF16(v float32) uint16 {
	bits := math.Float32bits(v)
	switch magnitude := bits &^ (1 << 31); {
	case magnitude < 1<<23: // zero or denormal
		return uint16(bits >> 16 & 0x8000)
	case magnitude > 0x7f800000: // NaN stays NaN
		return uint16(bits>>16 | 0x40)
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
