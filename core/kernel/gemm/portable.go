package gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

// A path is one set of inner routines and the register tile that they want.
type path struct {
	level  cpu.Level
	mr, nr int // lines of a and of b in a tile
	pad    int // the kernel takes multiples of pad lines of a

	// kernel computes a tile c[rows, nr] (row stride in elements) from packed
	// panels a [kc][rows] and b [kc][nr]: a chain of multiply-adds in order of
	// k, from zero; what was in c is added at the end.
	kernel func(kc, rows int, a, b, c []float32, stride int, accumulate bool)

	// pack writes lines [i, i+lines) of o at depths [k, k+kc) as dst[kc][width].
	// What it writes for the width-lines that are missing is never used. It may
	// write a little past the panel, but reads nothing else of o.
	pack func(dst []float32, o Operand, i, lines, k, kc, width int)
}

// tileMost is the number of elements of the largest tile.
const tileMost = 14 * 32

var portable = path{level: cpu.Generic, mr: 2, nr: 4, pad: 2, kernel: tile2x4, pack: packPortable}

// selected is the path in use; it is chosen once, at start.
var selected = paths[cpu.Use()]

// tile2x4 is the largest tile whose eight sums and six operands the Go compiler
// keeps in registers: 4x4 spills.
func tile2x4(kc, _ int, a, b, c []float32, stride int, accumulate bool) {
	var c00, c01, c02, c03, c10, c11, c12, c13 float32
	a, b = a[:2*kc], b[:4*kc]
	for len(a) >= 2 && len(b) >= 4 {
		a0, a1 := a[0], a[1]
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		c00 += a0 * b0
		c01 += a0 * b1
		c02 += a0 * b2
		c03 += a0 * b3
		c10 += a1 * b0
		c11 += a1 * b1
		c12 += a1 * b2
		c13 += a1 * b3
		a, b = a[2:], b[4:]
	}
	store(c[:4], []float32{c00, c01, c02, c03}, accumulate)
	store(c[stride:][:4], []float32{c10, c11, c12, c13}, accumulate)
}

func packPortable(dst []float32, o Operand, i, lines, k, kc, width int) {
	dst = dst[:kc*width]
	if o.Columns {
		for q := range kc {
			copy(dst[q*width:][:lines], o.Data[(k+q)*o.Stride+i:])
		}
		return
	}
	for r := range lines {
		packLine(dst[r:], o.Data[(i+r)*o.Stride+k:][:kc], width)
	}
}

// packLine spreads line over every width-th element of dst.
func packLine(dst, line []float32, width int) {
	for q, v := range line {
		dst[q*width] = v
	}
}
