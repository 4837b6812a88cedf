// Command gemm writes the assembly of package gemm: microkernels and packing
// routines for AVX-512 and for AVX2 with FMA.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// unroll is how many steps of k a loop iteration makes; it changes no result.
const unroll = 4

func main() {
	ConstraintExpr("amd64")
	for rows := 1; rows <= 14; rows++ {
		tile(isa.AVX512, rows)
	}
	for rows := 1; rows <= 6; rows++ {
		tile(isa.AVX2, rows)
	}
	transpose16()
	transpose8()
	for vectors := 1; vectors <= 2; vectors++ {
		copyRows(isa.AVX512, vectors)
		copyRows(isa.AVX2, vectors)
	}
	Generate()
}

// tile writes the kernel of a tile of the given rows and two vectors. The sums
// take 2·rows registers, the panel of b two, and two more take turns at holding
// an element of a.
func tile(s isa.Set, rows int) {
	TEXT(fmt.Sprintf("%sTile%d", s.Name, rows), NOSPLIT, "func(kc uint64, a, b, c *float32, stride uint64, accumulate uint64)")
	Doc(fmt.Sprintf("%sTile%d computes c[%d,%d] from a[kc][%d] and b[kc][%d]; stride is in bytes.", s.Name, rows, rows, 2*s.Lanes, rows, 2*s.Lanes))
	Pragma("noescape")
	kc, a, b := Load(Param("kc"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64())
	c, stride := Load(Param("c"), GP64()), Load(Param("stride"), GP64())
	at := GP64()
	MOVQ(c, at)
	eachRow(rows, stride, at, func(int) { // the tile of c arrives while we compute
		PREFETCHT0(Mem{Base: at})
		PREFETCHT0(Mem{Base: at, Disp: 2*s.Bytes - 1})
	})
	for i := range 2 * rows {
		s.Zero(s.Reg(i))
	}
	b0, b1 := s.Reg(s.Registers-4), s.Reg(s.Registers-3)
	step := func(u int) {
		VMOVUPS(Mem{Base: b, Disp: u * 2 * s.Bytes}, b0)
		VMOVUPS(Mem{Base: b, Disp: u*2*s.Bytes + s.Bytes}, b1)
		for r := range rows {
			element := s.Reg(s.Registers - 2 + r%2)
			VBROADCASTSS(Mem{Base: a, Disp: (u*rows + r) * 4}, element)
			VFMADD231PS(b0, element, s.Reg(2*r))
			VFMADD231PS(b1, element, s.Reg(2*r+1))
		}
	}
	advance := func(steps int) {
		ADDQ(U32(steps*rows*4), a)
		ADDQ(U32(steps*2*s.Bytes), b)
	}
	isa.Loop("k", kc, unroll, step, advance)
	storeTile(s, rows, c, stride, at)
	VZEROUPPER()
	RET()
}

func storeTile(s isa.Set, rows int, c, stride, at reg.Register) {
	accumulate := Load(Param("accumulate"), GP64())
	TESTQ(accumulate, accumulate)
	JE(LabelRef("store"))
	MOVQ(c, at)
	eachRow(rows, stride, at, func(r int) {
		VADDPS(Mem{Base: at}, s.Reg(2*r), s.Reg(2*r))
		VADDPS(Mem{Base: at, Disp: s.Bytes}, s.Reg(2*r+1), s.Reg(2*r+1))
	})
	Label("store")
	eachRow(rows, stride, c, func(r int) {
		VMOVUPS(s.Reg(2*r), Mem{Base: c})
		VMOVUPS(s.Reg(2*r+1), Mem{Base: c, Disp: s.Bytes})
	})
}

// eachRow calls f for each row, with at moved on by stride in between.
func eachRow(rows int, stride, at reg.Register, f func(r int)) {
	for r := range rows {
		f(r)
		if r < rows-1 {
			ADDQ(stride, at)
		}
	}
}
