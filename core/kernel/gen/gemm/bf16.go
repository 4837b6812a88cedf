package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// Routines that pack float32s as pairs of bfloat16s. A word holds two successive depths, the
// first in its lower half.

var zmm = isa.AVX512.Reg

// interleave writes the permutation that converts two successive vectors of 16 bfloat16s into
// pairs.
func interleave() Mem {
	index := GLOBL("interleave", 8|16) // RODATA|NOPTR
	for i := range 16 {
		DATA(4*i, U32((16+i)<<16|i))
	}
	return index
}

// copyRowsBF16 packs pairs of rows of up to vectors·16 columns. mask has -1 for the columns to
// pack. The routine does not read the others and writes 0 for them.
func copyRowsBF16(vectors int, interleave Mem) {
	name := fmt.Sprintf("bf16CopyRows%d", vectors)
	TEXT(name, NOSPLIT, "func(pairs uint64, src *float32, stride uint64, dst *float32, width uint64, mask *int32)")
	Doc(name + " packs pairs of rows, the columns where mask is -1; stride and width are in bytes.")
	Pragma("noescape")
	pairs, src, stride := Load(Param("pairs"), GP64()), Load(Param("src"), GP64()), Load(Param("stride"), GP64())
	dst, width, mask := Load(Param("dst"), GP64()), Load(Param("width"), GP64()), Load(Param("mask"), GP64())
	masks := loadMasks(mask, vectors)
	VMOVDQU64(interleave, zmm(31))
	far := farAhead(stride)
	near := GP64()
	Label("pair")
	LEAQ(Mem{Base: src, Index: far, Scale: 1}, near)
	for v := range vectors {
		PREFETCHT0(Mem{Base: near, Disp: 64 * v})
		PREFETCHT0(Mem{Base: near, Index: stride, Scale: 1, Disp: 64 * v})
	}
	for v := range vectors {
		VMOVUPS_Z(Mem{Base: src, Disp: 64 * v}, masks[v], zmm(2*v))
		VMOVUPS_Z(Mem{Base: src, Index: stride, Scale: 1, Disp: 64 * v}, masks[v], zmm(2*v+1))
		isa.VCVTNE2PS2BF16(2*v, 2*v+1, 8+v)
		VPERMW(zmm(8+v), zmm(31), zmm(8+v))
		VMOVDQU64(zmm(8+v), Mem{Base: dst, Disp: 64 * v})
	}
	LEAQ(Mem{Base: src, Index: stride, Scale: 2}, src)
	ADDQ(width, dst)
	DECQ(pairs)
	JNE(LabelRef("pair"))
	VZEROUPPER()
	RET()
}

// loadMasks loads masks of 16 lanes each from memory.
func loadMasks(mask reg.Register, vectors int) []reg.OpmaskPhysical {
	masks := []reg.OpmaskPhysical{reg.K1, reg.K2}[:vectors]
	for v := range vectors {
		VMOVUPS(Mem{Base: mask, Disp: 64 * v}, zmm(30))
		VPMOVD2M(zmm(30), masks[v])
	}
	return masks
}

// transposeBF16 transposes blocks of 16 lines by 32 depths into 16 words of 16 lines.
func transposeBF16() {
	TEXT("bf16Transpose", NOSPLIT, "func(blocks uint64, lines *[16]*float32, ahead uint64, dst *float32, width uint64, mask *int32)")
	Doc("bf16Transpose stores word k of the 16 lines at dst + k·width bytes, for k < 16·blocks; of each block of 32 depths those are read where mask is -1.")
	Pragma("noescape")
	blocks, lines, ahead := Load(Param("blocks"), GP64()), Load(Param("lines"), GP64()), Load(Param("ahead"), GP64())
	dst, width, mask := Load(Param("dst"), GP64()), Load(Param("width"), GP64()), Load(Param("mask"), GP64())
	masks := loadMasks(mask, 2)
	offset, line := GP64(), GP64()
	XORQ(offset, offset)
	Label("block")
	for l := range 16 {
		MOVQ(Mem{Base: lines, Disp: 8 * l}, line)
		ADDQ(offset, line)
		PREFETCHT0(Mem{Base: line, Index: ahead, Scale: 1})
		PREFETCHT0(Mem{Base: line, Index: ahead, Scale: 1, Disp: 64})
		VMOVUPS_Z(Mem{Base: line}, masks[0], zmm(30))
		VMOVUPS_Z(Mem{Base: line, Disp: 64}, masks[1], zmm(31))
		isa.VCVTNE2PS2BF16(30, 31, l)
	}
	transposed16(func(r reg.VecPhysical) {
		VMOVUPS(r, Mem{Base: dst})
		ADDQ(width, dst)
	})
	ADDQ(U32(128), offset)
	DECQ(blocks)
	JNE(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// roundBF16 rounds a run of float32s, in blocks of 32 and a partial one.
func roundBF16() {
	TEXT("bf16Round", NOSPLIT, "func(blocks uint64, src *float32, ahead uint64, dst *float32, mask *int32)")
	Doc("bf16Round writes 32·blocks float32s as 16·blocks words; of the last block those are read where mask is -1, the others are 0. What is ahead bytes on is asked for.")
	Pragma("noescape")
	blocks, src, dst := Load(Param("blocks"), GP64()), Load(Param("src"), GP64()), Load(Param("dst"), GP64())
	ahead := Load(Param("ahead"), GP64())
	masks := loadMasks(Load(Param("mask"), GP64()), 2)
	Label("block")
	DECQ(blocks)
	JE(LabelRef("last"))
	PREFETCHT0(Mem{Base: src, Index: ahead, Scale: 1})
	PREFETCHT0(Mem{Base: src, Index: ahead, Scale: 1, Disp: 64})
	VMOVUPS(Mem{Base: src}, zmm(0))
	VMOVUPS(Mem{Base: src, Disp: 64}, zmm(1))
	isa.VCVTNE2PS2BF16(0, 1, 2)
	VMOVUPS(zmm(2), Mem{Base: dst})
	ADDQ(U32(128), src)
	ADDQ(U8(64), dst)
	JMP(LabelRef("block"))
	Label("last")
	VMOVUPS_Z(Mem{Base: src}, masks[0], zmm(0))
	VMOVUPS_Z(Mem{Base: src, Disp: 64}, masks[1], zmm(1))
	isa.VCVTNE2PS2BF16(0, 1, 2)
	VMOVUPS(zmm(2), Mem{Base: dst})
	VZEROUPPER()
	RET()
}

func copyPanelsBF16(interleave Mem) {
	copyPanels(isa.AVX512, "bf16CopyPanels", " packs k pairs of rows into panels side by side, the columns where mask is -1.",
		func(src, stride reg.Register, mask reg.OpmaskPhysical) reg.VecPhysical {
			VMOVUPS_Z(Mem{Base: src}, mask, zmm(0))
			VMOVUPS_Z(Mem{Base: src, Index: stride, Scale: 1}, mask, zmm(1))
			isa.VCVTNE2PS2BF16(0, 1, 2)
			VMOVDQU64(interleave, zmm(3))
			VPERMW(zmm(2), zmm(3), zmm(2))
			return zmm(2)
		},
		func(stride, src reg.Register) { LEAQ(Mem{Base: src, Index: stride, Scale: 2}, src) })
}
