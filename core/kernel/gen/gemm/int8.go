package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// int8Block is how many depths of a panel of int8 share their scales.
const int8Block = 64

// farSteps is how many bytes before its turn a panel of int8 is asked for: it comes
// from memory, once, and while tiles multiply nothing is asked for.
const farSteps = 16 << 10

// widen writes the routine that turns a panel of int8, scales and steps, into words
// of float32s, or of pairs of bfloat16s. A word of two vectors takes as many bytes
// as it has elements; neighbours in a vector are neighbours there.
func (k arithmetic) widen(duplicates Mem) {
	name := k.name + "Widen"
	TEXT(name, NOSPLIT, "func(depth uint64, panel, dst *float32)")
	Doc(fmt.Sprintf("%s multiplies the steps of a panel of int8 [depth][%d] by their scales, new ones every %d depths; depth is at least 1.", name, 2*k.Lanes, int8Block))
	Pragma("noescape")
	words, panel, dst := Load(Param("depth"), GP64()), Load(Param("panel"), GP64()), Load(Param("dst"), GP64())
	perWord := 1
	if k.bf16 {
		perWord = 2
		INCQ(words)
		SHRQ(U8(1), words)
	}
	left, block := GP64(), GP64()
	MOVQ(U32(int8Block/perWord), block)
	Label("block")
	MOVQ(words, left)
	CMPQ(left, block)
	CMOVQGT(block, left)
	SUBQ(left, words)
	k.loadScales(panel, duplicates)
	ADDQ(U32(2*k.Bytes), panel)
	size := 2 * k.Lanes * perWord // bytes of a word of all lines
	isa.Loop("word", left, unroll, func(u int) {
		if u*size%64 == 0 {
			PREFETCHT0(Mem{Base: panel, Disp: u*size + farSteps})
		}
		for v := range 2 {
			at := func(i int) Mem { return Mem{Base: panel, Disp: u*size + (v*perWord+i)*k.Lanes} }
			k.widenVector(v, at)
			VMOVUPS(k.Reg(v), Mem{Base: dst, Disp: (2*u + v) * k.Bytes})
		}
	}, func(n int) {
		ADDQ(U32(n*size), panel)
		ADDQ(U32(n*2*k.Bytes), dst)
	})
	TESTQ(words, words)
	JNE(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// scale returns the register of the scales of the i-th elements of vector v.
func (k arithmetic) scale(v, i int) reg.VecPhysical { return k.Reg(4 + 2*v + i) }

// loadScales loads the scales of two vectors of lines: of pairs, whose elements are
// neighbours, each twice.
func (k arithmetic) loadScales(panel reg.Register, duplicates Mem) {
	for v := range 2 {
		at := Mem{Base: panel, Disp: v * k.Bytes}
		if !k.bf16 {
			VMOVUPS(at, k.scale(v, 0))
			continue
		}
		for i := range 2 {
			VMOVUPS(duplicates.Offset(64*i), k.Reg(0))
			VPERMPS(at, k.Reg(0), k.scale(v, i))
		}
	}
}

// widenVector leaves the words of vector v, whose steps are at at(0) and for pairs
// also at at(1), in register v.
func (k arithmetic) widenVector(v int, at func(i int) Mem) {
	float := func(i int, r reg.VecPhysical) {
		VPMOVSXBD(at(i), r)
		VCVTDQ2PS(r, r)
		VMULPS(k.scale(v, i), r, r)
	}
	if !k.bf16 {
		float(0, k.Reg(v))
		return
	}
	float(0, k.Reg(8+2*v))
	float(1, k.Reg(9+2*v))
	isa.VCVTNE2PS2BF16(8+2*v, 9+2*v, v)
}

// duplicate writes the permutations that double the lower and the upper half of a
// vector of 16.
func duplicate() Mem {
	index := GLOBL("duplicate", 8|16) // RODATA|NOPTR
	for i := range 32 {
		DATA(4*i, U32(i/2))
	}
	return index
}
