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

// farSteps is how many bytes ahead of its use a panel of int8 is prefetched. It comes from memory,
// once, and the tiles do not prefetch while they multiply.
const farSteps = 16 << 10

// inInt8 is an arithmetic on a panel of int8, with its registers.
type inInt8 struct {
	arithmetic
	perWord int
	panel   reg.Register
	first   int // first free register; those before it hold sums
}

// scale returns the register of the scales of the i-th elements of vector v's words, vector that
// of the words, element that of the value that becomes the i-th elements, and word that of
// row r's word of a.
func (k inInt8) scale(v, i int) int { return k.first + k.perWord*v + i }
func (k inInt8) vector(v int) int   { return k.scale(2, 0) + v }
func (k inInt8) element(i int) int  { return k.vector(2) + i }
func (k inInt8) word(r int) int     { return k.Registers - 2 + r%2 }

// inInt8 returns the state for a routine with parameters depth and panel, behind the given number
// of sums.
func (k arithmetic) inInt8(sums int) inInt8 {
	r := inInt8{arithmetic: k, perWord: 1, panel: Load(Param("panel"), GP64()), first: sums}
	if k.bf16 {
		r.perWord = 2
	}
	return r
}

// widen writes the routine that converts a panel of int8, scales and steps, into words of
// float32s, or of pairs of bfloat16s.
func (k arithmetic) widen(duplicates Mem) {
	name := k.name + "Widen"
	TEXT(name, NOSPLIT, "func(depth uint64, panel, dst *float32)")
	Doc(fmt.Sprintf("%s multiplies the steps of a panel of int8 [depth][%d] by their scales, new ones every %d depths; depth is at least 1.", name, 2*k.Lanes, int8Block))
	Pragma("noescape")
	in, dst := k.inInt8(0), Load(Param("dst"), GP64())
	in.each(duplicates, func(u int) {
		for v := range 2 {
			VMOVUPS(in.widened(u, v), Mem{Base: dst, Disp: (2*u + v) * k.Bytes})
		}
	}, func(n int) { ADDQ(U32(n*2*k.Bytes), dst) })
	VZEROUPPER()
	RET()
}

// int8Rows is the most rows of a tile whose panel is widened in registers. With more rows,
// widening a panel for each tile costs too much.
func (k arithmetic) int8Rows() int { return k.Registers / 4 }

// int8Tile writes the kernel of a tile that reads a panel of int8. With few rows, storing its
// words and loading them again would take longer than the rest. It computes the same as widen
// and the tile of these rows, bit for bit.
func (k arithmetic) int8Tile(rows int, duplicates Mem) {
	name := fmt.Sprintf("%sInt8x%d", k.name, rows)
	TEXT(name, NOSPLIT, "func(depth uint64, a *float32, strideA uint64, panel, c, add *float32, stride uint64)")
	Doc(fmt.Sprintf("%s computes c[%d,%d] = a·b + add from rows of words that are strideA bytes apart and a panel of int8 (see %sWiden); add may be nil. stride is in bytes.",
		name, rows, 2*k.Lanes, k.name))
	Pragma("noescape")
	element, advance, _ := k.elements(rows, direct)
	for i := range 2 * rows {
		k.Zero(k.Reg(i))
	}
	in := k.inInt8(2 * rows)
	in.each(duplicates, func(u int) {
		for v := range 2 {
			in.widened(u, v)
		}
		for r := range rows {
			VBROADCASTSS(element(r, u), k.Reg(in.word(r)))
			for v := range 2 {
				k.multiplyAdd(in.vector(v), in.word(r), 2*r+v)
			}
		}
	}, advance)
	c, add, stride := Load(Param("c"), GP64()), Load(Param("add"), GP64()), Load(Param("stride"), GP64())
	k.storeTile(rows, 2, c, add, stride)
	VZEROUPPER()
	RET()
}

// each writes a loop over the words of a panel, with the scales of each block in registers.
// step(u) writes the u-th word of a group, advance(n) advances the pointers other than the panel's
// by n words.
func (k inInt8) each(duplicates Mem, step, advance func(n int)) {
	words, left := Load(Param("depth"), GP64()), GP64()
	if k.perWord == 2 {
		INCQ(words)
		SHRQ(U8(1), words)
	}
	Label("block")
	MOVQ(U32(int8Block/k.perWord), left)
	CMPQ(words, left)
	CMOVQLT(words, left)
	SUBQ(left, words)
	k.loadScales(duplicates)
	ADDQ(U32(2*k.Bytes), k.panel)
	isa.Loop("word", left, unroll, func(u int) {
		if at := u * k.size(); at%64 == 0 {
			PREFETCHT0(Mem{Base: k.panel, Disp: at + farSteps})
		}
		step(u)
	}, func(n int) {
		ADDQ(U32(n*k.size()), k.panel)
		advance(n)
	})
	TESTQ(words, words)
	JNE(LabelRef("block"))
}

// size returns the size in bytes of a word of all lines.
func (k inInt8) size() int { return 2 * k.Lanes * k.perWord }

// loadScales loads the scales of the vectors' lines. For pairs, whose elements are adjacent, it
// loads each twice.
func (k inInt8) loadScales(duplicates Mem) {
	for v := range 2 {
		at := Mem{Base: k.panel, Disp: v * k.Bytes}
		if k.perWord == 1 {
			VMOVUPS(at, k.Reg(k.scale(v, 0)))
			continue
		}
		for i := range 2 {
			VMOVUPS(duplicates.Offset(64*i), k.Reg(k.element(0)))
			VPERMPS(at, k.Reg(k.element(0)), k.Reg(k.scale(v, i)))
		}
	}
}

// widened writes code that leaves vector v of the u-th word in a register, which it returns.
func (k inInt8) widened(u, v int) reg.VecPhysical {
	float := func(i int, r reg.VecPhysical) {
		VPMOVSXBD(Mem{Base: k.panel, Disp: u*k.size() + (v*k.perWord+i)*k.Lanes}, r)
		VCVTDQ2PS(r, r)
		VMULPS(k.Reg(k.scale(v, i)), r, r)
	}
	if k.perWord == 1 {
		float(0, k.Reg(k.vector(v)))
	} else {
		float(0, k.Reg(k.element(0)))
		float(1, k.Reg(k.element(1)))
		isa.VCVTNE2PS2BF16(k.element(0), k.element(1), k.vector(v))
	}
	return k.Reg(k.vector(v))
}

// duplicate writes the permutations that double the lower and the upper half of a vector of 16.
func duplicate() Mem {
	index := GLOBL("duplicate", 8|16) // RODATA|NOPTR
	for i := range 32 {
		DATA(4*i, U32(i/2))
	}
	return index
}
