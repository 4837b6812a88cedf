package main

import (
	"fmt"
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// A panel is written one whole vector at a time. If the panel is narrower than a vector, the next
// row overwrites the excess: rows must come in order, with slack after the last. The routines
// read only the elements that they pack.

// transposition writes routines around the body of a transposition of lanes x lanes. dst advances
// by width bytes for each column. The lines of one routine are stride apart. Those of the other
// can be anywhere: their pointers are in memory, so that a panel with missing lines need not
// read past the matrix. The routines prefetch the memory ahead bytes from each line.
func transposition(s isa.Set, body func(load func(line int) Mem, store func(r reg.VecPhysical))) {
	routine := func(suffix, lines string, load func(src, offset reg.Register) func(int) Mem) {
		TEXT(s.Name+"Transpose"+suffix, NOSPLIT, "func(blocks uint64, lines "+lines+", dst *float32, width uint64)")
		Doc(fmt.Sprintf("%sTranspose%s stores column k of the %d lines at dst + k·width bytes, for k < %d·blocks.", s.Name, suffix, s.Lanes, s.Lanes))
		Pragma("noescape")
		blocks, src := Load(Param("blocks"), GP64()), Load(Param("lines"), GP64())
		dst, width, offset := Load(Param("dst"), GP64()), Load(Param("width"), GP64()), GP64()
		XORQ(offset, offset)
		at := load(src, offset)
		Label("block")
		body(at, func(r reg.VecPhysical) {
			VMOVUPS(r, Mem{Base: dst})
			ADDQ(width, dst)
		})
		ADDQ(U8(s.Bytes), offset)
		DECQ(blocks)
		JNE(LabelRef("block"))
		VZEROUPPER()
		RET()
	}
	line := GP64()
	routine("", "*[16]*float32, ahead uint64", func(src, offset reg.Register) func(int) Mem {
		ahead := Load(Param("ahead"), GP64())
		return func(l int) Mem {
			MOVQ(Mem{Base: src, Disp: 8 * l}, line)
			ADDQ(offset, line)
			PREFETCHT0(Mem{Base: line, Index: ahead, Scale: 1})
			return Mem{Base: line}
		}
	})
	routine("Rows", "*float32, stride uint64", func(src, offset reg.Register) func(int) Mem {
		stride, ahead := Load(Param("stride"), GP64()), GP64()
		MOVQ(stride, ahead)
		SHLQ(U8(bits.Len(uint(s.Lanes))-1), ahead)
		return func(l int) Mem {
			if l == 0 {
				LEAQ(Mem{Base: src, Index: offset, Scale: 1}, line)
			} else {
				ADDQ(stride, line)
			}
			PREFETCHT0(Mem{Base: line, Index: ahead, Scale: 1})
			return Mem{Base: line}
		}
	})
}

func transpose16() {
	z := isa.AVX512.Reg
	transposition(isa.AVX512, func(load func(int) Mem, store func(reg.VecPhysical)) {
		for l := range 16 {
			VMOVUPS(load(l), z(l))
		}
		transposed16(store)
	})
}

// transposed16 transposes registers 0 to 15 and stores the columns in order. It uses all
// registers.
func transposed16(store func(reg.VecPhysical)) {
	z := isa.AVX512.Reg
	for i := range 8 { // pairs of lines, interleaved
		VUNPCKLPS(z(2*i+1), z(2*i), z(16+2*i))
		VUNPCKHPS(z(2*i+1), z(2*i), z(17+2*i))
	}
	for g := range 4 { // z(4g+j): lines 4g..4g+3 at columns j, 4+j, 8+j, 12+j
		lo01, hi01, lo23, hi23 := z(16+4*g), z(17+4*g), z(18+4*g), z(19+4*g)
		VUNPCKLPD(lo23, lo01, z(4*g))
		VUNPCKHPD(lo23, lo01, z(4*g+1))
		VUNPCKLPD(hi23, hi01, z(4*g+2))
		VUNPCKHPD(hi23, hi01, z(4*g+3))
	}
	for j := range 4 { // the four quarters of columns j, 4+j, 8+j, 12+j
		a0, a1, a2, a3 := z(j), z(4+j), z(8+j), z(12+j)
		t0, t1, t2, t3 := z(16+4*j), z(17+4*j), z(18+4*j), z(19+4*j)
		VSHUFF32X4(Imm(0x44), a1, a0, t0)
		VSHUFF32X4(Imm(0xee), a1, a0, t1)
		VSHUFF32X4(Imm(0x44), a3, a2, t2)
		VSHUFF32X4(Imm(0xee), a3, a2, t3)
		VSHUFF32X4(Imm(0x88), t2, t0, a0)
		VSHUFF32X4(Imm(0xdd), t2, t0, a1)
		VSHUFF32X4(Imm(0x88), t3, t1, a2)
		VSHUFF32X4(Imm(0xdd), t3, t1, a3)
	}
	for column := range 16 {
		store(z(column))
	}
}

func transpose8() {
	y := isa.AVX2.Reg
	transposition(isa.AVX2, func(load func(int) Mem, store func(reg.VecPhysical)) {
		for l := range 8 {
			VMOVUPS(load(l), y(l))
		}
		for i := range 4 { // pairs of lines, interleaved
			VUNPCKLPS(y(2*i+1), y(2*i), y(8+2*i))
			VUNPCKHPS(y(2*i+1), y(2*i), y(9+2*i))
		}
		for g := range 2 { // y(4g+j): lines 4g..4g+3 at columns j, 4+j
			lo01, hi01, lo23, hi23 := y(8+4*g), y(9+4*g), y(10+4*g), y(11+4*g)
			VUNPCKLPD(lo23, lo01, y(4*g))
			VUNPCKHPD(lo23, lo01, y(4*g+1))
			VUNPCKLPD(hi23, hi01, y(4*g+2))
			VUNPCKHPD(hi23, hi01, y(4*g+3))
		}
		for j := range 4 { // columns j and 4+j
			VPERM2F128(Imm(0x20), y(4+j), y(j), y(8+j))
			VPERM2F128(Imm(0x31), y(4+j), y(j), y(12+j))
		}
		for column := range 8 {
			store(y(8 + column))
		}
	})
}

// farAhead returns the distance to the row to prefetch, so that it arrives from memory in time.
// Processors do not prefetch rows that are far apart.
func farAhead(stride reg.Register) reg.GPVirtual {
	far := GP64()
	MOVQ(stride, far)
	SHLQ(U8(5), far)
	return far
}

// copyRows copies up to vectors·lanes floats from each of k rows. mask has -1 for the columns to
// copy. The routine does not read the others and writes 0 for them.
func copyRows(s isa.Set, vectors int) {
	TEXT(fmt.Sprintf("%sCopyRows%d", s.Name, vectors), NOSPLIT, "func(k uint64, src *float32, stride uint64, dst *float32, width uint64, mask *int32)")
	Doc(fmt.Sprintf("%sCopyRows%d copies k rows, the columns where mask is -1; stride and width are in bytes.", s.Name, vectors))
	Pragma("noescape")
	k, src, stride := Load(Param("k"), GP64()), Load(Param("src"), GP64()), Load(Param("stride"), GP64())
	dst, width, mask := Load(Param("dst"), GP64()), Load(Param("width"), GP64()), Load(Param("mask"), GP64())
	masks := []reg.OpmaskPhysical{reg.K1, reg.K2}
	for v := range vectors {
		VMOVUPS(Mem{Base: mask, Disp: s.Bytes * v}, s.Reg(8+v))
		if s.Lanes == 16 {
			VPMOVD2M(s.Reg(8+v), masks[v])
		}
	}
	far := farAhead(stride)
	Label("row")
	for v := range vectors {
		PREFETCHT0(Mem{Base: src, Index: far, Scale: 1, Disp: s.Bytes * v})
	}
	for v := range vectors {
		at := Mem{Base: src, Disp: s.Bytes * v}
		if s.Lanes == 16 {
			VMOVUPS_Z(at, masks[v], s.Reg(v))
		} else {
			VMASKMOVPS(at, s.Reg(8+v), s.Reg(v))
		}
	}
	for v := range vectors {
		VMOVUPS(s.Reg(v), Mem{Base: dst, Disp: s.Bytes * v})
	}
	ADDQ(stride, src)
	ADDQ(width, dst)
	DECQ(k)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// panelSignature is the signature for panels that are panel bytes apart and width bytes wide, from
// k rows that are stride bytes apart.
const panelSignature = "func(k uint64, src *float32, stride uint64, dst *float32, panel, panels, width uint64, mask *int32)"

// copyPanels writes a routine that packs adjacent panels. It reads each row as a whole, which is
// the fastest way to read memory. word converts the columns at src into a vector of words, step
// advances to the rows of the next words.
func copyPanels(s isa.Set, name, doc string, word func(src, stride reg.Register, mask reg.OpmaskPhysical) reg.VecPhysical, step func(stride, src reg.Register)) {
	TEXT(name, NOSPLIT, panelSignature)
	Doc(name + doc)
	Pragma("noescape")
	k, src, stride := Load(Param("k"), GP64()), Load(Param("src"), GP64()), Load(Param("stride"), GP64())
	dst, panel, width := Load(Param("dst"), GP64()), Load(Param("panel"), GP64()), Load(Param("width"), GP64())
	VMOVUPS(Mem{Base: Load(Param("mask"), GP64())}, s.Reg(8))
	if s.Lanes == 16 {
		VPMOVD2M(s.Reg(8), reg.K1)
	}
	from, to, left := GP64(), GP64(), GP64()
	Label("row")
	MOVQ(src, from)
	MOVQ(dst, to)
	Load(Param("panels"), left)
	Label("panel")
	v := word(from, stride, reg.K1)
	if s.Lanes == 16 {
		VMOVUPS(v, reg.K1, Mem{Base: to})
	} else {
		VMASKMOVPS(v, s.Reg(8), Mem{Base: to})
	}
	ADDQ(width, from)
	ADDQ(panel, to)
	DECQ(left)
	JNE(LabelRef("panel"))
	step(stride, src)
	ADDQ(width, dst)
	DECQ(k)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

func copyPanels32(s isa.Set) {
	copyPanels(s, s.Name+"CopyPanels", " packs k rows into panels side by side, the columns where mask is -1.",
		func(src, _ reg.Register, mask reg.OpmaskPhysical) reg.VecPhysical {
			if s.Lanes == 16 {
				VMOVUPS_Z(Mem{Base: src}, mask, s.Reg(0))
			} else {
				VMASKMOVPS(Mem{Base: src}, s.Reg(8), s.Reg(0))
			}
			return s.Reg(0)
		},
		func(stride, src reg.Register) { ADDQ(stride, src) })
}

// fetchRows prefetches rows into the second-level cache.
func fetchRows() {
	TEXT("fetchRows", NOSPLIT, "func(rows uint64, src *float32, stride, bytes uint64)")
	Doc("fetchRows asks for rows of the given bytes that are stride bytes apart; there is at least one of each.")
	Pragma("noescape")
	rows, src := Load(Param("rows"), GP64()), Load(Param("src"), GP64())
	stride, bytes := Load(Param("stride"), GP64()), Load(Param("bytes"), GP64())
	at, end := GP64(), GP64()
	Label("row")
	MOVQ(src, at)
	LEAQ(Mem{Base: src, Index: bytes, Scale: 1}, end)
	Label("line")
	PREFETCHT1(Mem{Base: at})
	ADDQ(U8(64), at)
	CMPQ(at, end)
	JB(LabelRef("line"))
	ADDQ(stride, src)
	DECQ(rows)
	JNE(LabelRef("row"))
	RET()
}
