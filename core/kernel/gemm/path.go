package gemm

//go:generate go -C ../gen run ./gemm -out ../gemm/gemm_amd64.s -stubs ../gemm/stub_amd64.go -pkg gemm
//go:generate go -C ../gen run ./neon/gemm -out ../gemm/gemm_arm64.s -stubs ../gemm/stub_arm64.go -pkg gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

// A path is one set of inner routines and the register tile that they want. They
// work on words: a float32, or two bfloat16s of successive depths.
type path struct {
	level   cpu.Level
	mr, nr  int // lines of a and of b in a tile
	narrow  int // lines of b in a tile that is as narrow as can be
	perWord int // depths in a word

	fetching int // rows of the largest tile that asks for b ahead of its use; 0: none does

	// packed and direct compute tiles one below the other, at least one, of rows rows
	// and cols columns each: c = a·b + add (row stride in elements; add may be nil, or
	// c itself) by a panel b [words][nr], where cols is a multiple of narrow: a chain
	// of multiply-adds in order of depth, from zero; add comes last. packed reads
	// a panel a [words][rows] for each tile, direct rows of words that are strideA apart,
	// across, where there is one, columns of words whose rows are strideA apart.
	packed func(tiles, words, rows, cols int, a, b, c, add []float32, stride int)
	direct func(tiles, words, rows, cols int, a []float32, strideA int, b, c, add []float32, stride int)
	across func(tiles, words, rows, cols int, a []float32, strideA int, b, c, add []float32, stride int)

	// pack writes lines [i, i+lines) of o at depths [k, k+kc) as dst[words][width].
	// What it writes for the width-lines that are missing is never used. It
	// reads nothing else of o, and writes past the panel only where width is
	// less than nr: no more than slack words.
	pack func(dst []float32, o Operand, i, lines, k, kc, width int)

	// packSide, where there is one, packs panels side by side of an operand made of
	// columns, each of width lines, as pack does one by one; kc is a multiple of
	// perWord.
	packSide func(dst []float32, o Operand, i, panels, width, k, kc int)

	// fetch, where there is one, asks for rows of src to be brought near: size
	// elements of each, stride apart.
	fetch func(src []float32, rows, size, stride int)

	// steps says that panels of b are kept as int8 (see quantised); widen turns one of
	// so many depths, at least 1, into words. directInt8 does what widen and direct do,
	// for tiles of up to int8Rows rows (0: none) and nr columns, and stores no words.
	steps      bool
	widen      func(dst, panel []float32, depth int)
	directInt8 func(depth, rows int, a []float32, strideA int, panel, c, add []float32, stride int)
	int8Rows   int

	// row turns a row of a, of which the next is stride elements on, into words;
	// len(dst) is a multiple of 16. It is nil where a row is words as it is.
	row func(dst, row []float32, stride int)
}

const (
	tileMost  = 14 * 32 // elements of the largest tile
	mostLines = 32      // of b in a tile
	slack     = 64      // words
)

// wordsOf returns how many words hold a depth.
func (p *path) wordsOf(depth int) int { return (depth + p.perWord - 1) / p.perWord }

// depthStep divides depth into equal blocks; it may depend on nothing else, or
// a row's result would depend on its company.
func (p *path) depthStep(depth int) int {
	most, unit := blockWords*p.perWord, 16*p.perWord
	if p.steps {
		most, unit = most/Int8Block*Int8Block, Int8Block
	}
	blocks := (depth + most - 1) / most
	return ((depth+blocks-1)/blocks + unit - 1) / unit * unit
}

// selected are the paths in use by format; they are chosen once, at start.
var selected = choose(cpu.Use())

func pathFor(f Format) *path { return selected[f] }

// Native reports whether instructions multiply bfloat16s; if not, they are
// multiplied as float32s, which takes longer than if they were not rounded.
func Native() bool { return pathFor(BF16).perWord == 2 }

// choose returns the paths of a level. Where no instruction multiplies bfloat16s,
// factors are rounded while they are packed and multiplied as float32s: the
// numbers are the same but for the order of sums.
func choose(level cpu.Level) [formats]*path {
	fp32 := paths[level]
	if native := bf16Path(level); native != nil {
		return [...]*path{fp32, native, native.quantised()}
	}
	return [...]*path{fp32, fp32.rounding(), fp32.quantised()}
}

// rounding returns a path that rounds factors to bfloat16 and multiplies them as p does.
func (p *path) rounding() *path {
	r := *p
	r.pack = func(dst []float32, o Operand, i, lines, k, kc, width int) {
		p.pack(dst, o, i, lines, k, kc, width)
		roundAll(dst[:kc*width], dst)
	}
	r.packSide = nil
	r.row = func(dst, row []float32, _ int) { roundAll(dst[:len(row)], row) }
	return &r
}
