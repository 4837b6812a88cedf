package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// unroll is how many words of depth a loop iteration processes. It does not change results.
const unroll = 4

// ahead is how many bytes ahead of its use a word of b is prefetched.
const ahead = 8 << 10

// arithmetic is a way to multiply and add words: float32s, or pairs of bfloat16s.
type arithmetic struct {
	isa.Set
	name string
	bf16 bool
}

// mostRows is the number of rows of two sums that leaves four registers.
func (k arithmetic) mostRows() int { return (k.Registers - 4) / 2 }

// multiplyAdd adds to sum the products of a, a word in all lanes, and b.
func (k arithmetic) multiplyAdd(b, a, sum int) {
	if k.bf16 {
		isa.VDPBF16PS(b, a, sum)
	} else {
		VFMADD231PS(k.Reg(b), k.Reg(a), k.Reg(sum))
	}
}

// layout is the layout of a: panels [words][rows], one for each tile, or rows.
type layout struct {
	name, doc, params string
}

var (
	packed = layout{"Packed", "a panel a[words][%d] each", "tiles, words uint64, a, b, c, add *float32, stride uint64"}
	direct = layout{"Direct", "%d rows of a each, strideA bytes apart", "tiles, words uint64, a *float32, strideA uint64, b, c, add *float32, stride uint64"}
	across = layout{"Across", "%d columns of a each, whose rows are strideA bytes apart", direct.params}
)

// tile writes the kernel of tiles of the given rows and vectors, 1 or 2, one below the other. The
// sums take vectors·rows registers, the panel of b two. Two more hold words of a in turn.
func (k arithmetic) tile(rows, vectors int, l layout) {
	name := fmt.Sprintf("%s%s%dx%d", k.name, l.name, rows, vectors)
	TEXT(name, NOSPLIT, "func("+l.params+")")
	Doc(fmt.Sprintf("%s computes tiles c[%d,%d] = a·b + add, one below the other, at least one, from "+l.doc+" and b[words][%d]; add may be nil. stride is in bytes.", name, rows, vectors*k.Lanes, rows, 2*k.Lanes))
	Pragma("noescape")
	tiles, words, b, at := Load(Param("tiles"), GP64()), GP64(), GP64(), GP64()
	c, add, stride := Load(Param("c"), GP64()), Load(Param("add"), GP64()), Load(Param("stride"), GP64())
	element, advance, below := k.elements(rows, l)
	panel := []int{k.Registers - 4, k.Registers - 3}[:vectors]
	step := func(u int) {
		if rows < k.mostRows() {
			k.fetch(b, u)
		}
		for v, r := range panel {
			VMOVUPS(Mem{Base: b, Disp: (2*u + v) * k.Bytes}, k.Reg(r))
		}
		for r := range rows {
			word := k.Registers - 2 + r%2
			VBROADCASTSS(element(r, u), k.Reg(word))
			for v, b := range panel {
				k.multiplyAdd(b, word, vectors*r+v)
			}
		}
	}
	Label("tile")
	soon := k.arrivals(rows, vectors, c, add, stride, at)
	Load(Param("words"), words)
	Load(Param("b"), b)
	for i := range vectors * rows {
		k.Zero(k.Reg(i))
	}
	isa.Loop("k", words, unroll, step, func(steps int) {
		advance(steps)
		ADDQ(U32(steps*2*k.Bytes), b)
		if steps == unroll {
			soon()
		}
	})
	k.storeTile(rows, vectors, c, add, stride)
	DECQ(tiles)
	JE(LabelRef("done"))
	ADDQ(stride, c)
	below()
	TESTQ(add, add)
	JE(LabelRef("tile"))
	ADDQ(stride, add)
	JMP(LabelRef("tile"))
	Label("done")
	VZEROUPPER()
	RET()
}

// arrivals returns a function that prefetches one row of the tile of c, and of add if that is
// another array, at each call, until it has prefetched all: they are needed once the sums are
// complete. Prefetching all at once would delay the operands of the sums.
func (k arithmetic) arrivals(rows, vectors int, c, add, stride, at reg.Register) func() {
	last, apart := GP64(), GP64()
	MOVQ(c, at)
	MOVQ(c, last)
	for range rows - 1 {
		ADDQ(stride, last)
	}
	XORQ(apart, apart)
	TESTQ(add, add)
	JE(LabelRef("sums"))
	MOVQ(add, apart)
	SUBQ(c, apart)
	Label("sums")
	return func() {
		for _, line := range []int{0, vectors*k.Bytes - 1} {
			PREFETCHT0(Mem{Base: at, Disp: line})
			PREFETCHT0(Mem{Base: at, Index: apart, Scale: 1, Disp: line})
		}
		ADDQ(stride, at)
		CMPQ(at, last)
		CMOVQHI(last, at)
	}
}

// fetch prefetches the word of b that is ahead of step u's word. b may come from memory, and the
// processor's own prefetch does not reach far enough. The tile with the most rows does not
// prefetch: it serves products with many rows, whose b is in the caches.
func (k arithmetic) fetch(b reg.Register, u int) {
	for line := 0; line < 2*k.Bytes; line += 64 {
		PREFETCHT0(Mem{Base: b, Disp: u*2*k.Bytes + line + ahead})
	}
}

// elements returns functions that address the word of row r, u words on, advance, and go from the
// end of a tile's words to the first word of the tile below.
func (k arithmetic) elements(rows int, l layout) (element func(r, u int) Mem, advance func(steps int), below func()) {
	a := Load(Param("a"), GP64())
	if l == packed {
		return func(r, u int) Mem { return Mem{Base: a, Disp: (u*rows + r) * 4} },
			func(steps int) { ADDQ(U32(steps*rows*4), a) },
			func() {} // the next tile starts where this one ends
	}
	if l == across {
		return k.across(rows, a)
	}
	// One register points to every third row. The others are one and two strides further on.
	stride := Load(Param("strideA"), GP64())
	bases := []reg.Register{a}
	for r := 3; r < rows; r += 3 {
		base := GP64()
		LEAQ(Mem{Base: bases[len(bases)-1], Index: stride, Scale: 2}, base)
		ADDQ(stride, base)
		bases = append(bases, base)
	}
	element = func(r, u int) Mem {
		at := Mem{Base: bases[r/3], Disp: 4 * u}
		if r%3 > 0 {
			at.Index, at.Scale = stride, uint8(r%3)
		}
		return at
	}
	advance = func(steps int) {
		for _, base := range bases {
			ADDQ(U32(4*steps), base)
		}
	}
	return element, advance, func() {
		down := Load(Param("words"), GP64())
		SHLQ(U8(2), down)
		NEGQ(down)
		for range rows {
			ADDQ(stride, down)
		}
		for _, base := range bases {
			ADDQ(down, base)
		}
	}
}

// across is elements for columns of a. Step u reads a run of row u, a small part of a row that is
// not the next in memory. Therefore it prefetches the runs itself.
func (k arithmetic) across(rows int, a reg.Register) (element func(r, u int) Mem, advance func(steps int), below func()) {
	const soon = 8 // rows
	stride := Load(Param("strideA"), GP64())
	top, pair, far, farPair := GP64(), GP64(), GP64(), GP64()
	start := func() {
		LEAQ(Mem{Base: a, Index: stride, Scale: 2}, pair)
		LEAQ(Mem{Base: a, Index: stride, Scale: soon}, far)
		LEAQ(Mem{Base: far, Index: stride, Scale: 2}, farPair)
	}
	MOVQ(a, top)
	start()
	at := func(first, third reg.Register, u, disp int) Mem {
		m := Mem{Base: first, Disp: disp}
		if u >= 2 {
			m.Base = third
		}
		if u%2 == 1 {
			m.Index, m.Scale = stride, 1
		}
		return m
	}
	element = func(r, u int) Mem {
		if r == 0 {
			PREFETCHT0(at(far, farPair, u, 4*(rows-1)))
		}
		return at(a, pair, u, 4*r)
	}
	advance = func(steps int) {
		for _, base := range []reg.Register{a, pair, far, farPair} {
			LEAQ(Mem{Base: base, Index: stride, Scale: uint8(steps)}, base)
		}
	}
	return element, advance, func() {
		ADDQ(U32(4*rows), top)
		MOVQ(top, a)
		start()
	}
}

// storeTile adds add to the sums, unless it is nil, and stores them. c and add point to their last
// rows at that point.
func (k arithmetic) storeTile(rows, vectors int, c, add, stride reg.Register) {
	TESTQ(add, add)
	JE(LabelRef("store"))
	eachRow(rows, stride, add, func(r int) {
		for v := range vectors {
			sum := k.Reg(vectors*r + v)
			VADDPS(Mem{Base: add, Disp: v * k.Bytes}, sum, sum)
		}
	})
	Label("store")
	eachRow(rows, stride, c, func(r int) {
		for v := range vectors {
			VMOVUPS(k.Reg(vectors*r+v), Mem{Base: c, Disp: v * k.Bytes})
		}
	})
}

// eachRow calls f for each row and advances at by stride in between.
func eachRow(rows int, stride, at reg.Register, f func(r int)) {
	for r := range rows {
		f(r)
		if r < rows-1 {
			ADDQ(stride, at)
		}
	}
}
