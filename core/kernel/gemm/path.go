package gemm

//go:generate go -C ../gen run ./gemm -out ../gemm/gemm_amd64.s -stubs ../gemm/stub_amd64.go -pkg gemm
//go:generate go -C ../gen run ./neon/gemm -out ../gemm/gemm_arm64.s -stubs ../gemm/stub_arm64.go -pkg gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

// A path is one set of inner routines and the register tile that they use. They work on words: a
// float32, or two bfloat16s of successive depths.
type path struct {
	level   cpu.Level
	mr, nr  int // lines of a and of b in a tile
	narrow  int // lines of b in the narrowest tile
	perWord int // depths in a word

	fetching int // rows of the largest tile that prefetches b; 0: none does

	// packed and direct compute tiles one below the other, at least one, of rows rows and cols
	// columns each: c = a·b + add (row stride in elements; add may be nil, or c itself) with a
	// panel b [words][nr]. cols is a multiple of narrow. Each element is a chain of
	// multiply-adds in order of depth, from zero; add comes last. packed reads a panel
	// a [words][rows] for each tile, direct reads rows of words that are strideA apart. across,
	// which not every path has, reads columns of words whose rows are strideA apart.
	packed func(tiles, words, rows, cols int, a, b, c, add []float32, stride int)
	direct func(tiles, words, rows, cols int, a []float32, strideA int, b, c, add []float32, stride int)
	across func(tiles, words, rows, cols int, a []float32, strideA int, b, c, add []float32, stride int)

	// pack writes lines [i, i+lines) of o at depths [k, k+kc) as dst[words][width]. The values
	// that it writes for the width-lines missing lines are never used. It reads nothing else of
	// o. It writes past the panel only if width is less than nr, and at most slack words.
	pack func(dst []float32, o Operand, i, lines, k, kc, width int)

	// packSide, which not every path has, packs adjacent panels of an operand of columns, each
	// of width lines, as pack does one by one. kc is a multiple of perWord.
	packSide func(dst []float32, o Operand, i, panels, width, k, kc int)

	// fetch, which not every path has, prefetches rows of src: size elements of each, stride
	// apart.
	fetch func(src []float32, rows, size, stride int)

	// steps means that panels of b are stored as int8 (see quantised). widen converts a panel of
	// the given depth, at least 1, into words. directInt8 does the work of widen and direct for
	// tiles of up to int8Rows rows (0: none) and nr columns, without storing words.
	steps      bool
	widen      func(dst, panel []float32, depth int)
	directInt8 func(depth, rows int, a []float32, strideA int, panel, c, add []float32, stride int)
	int8Rows   int

	// row converts a row of a into words; the next row is stride elements further on. len(dst) is
	// a multiple of 16. row is nil if rows consist of words already.
	row func(dst, row []float32, stride int)
}

const (
	tileMost  = 14 * 32 // elements of the largest tile
	mostLines = 32      // of b in a tile
	slack     = 64      // words
)

// wordsOf returns how many words hold depth elements.
func (p *path) wordsOf(depth int) int { return (depth + p.perWord - 1) / p.perWord }

// depthStep divides depth into equal blocks. It may depend on nothing else, or the result of a
// row would depend on the other rows.
func (p *path) depthStep(depth int) int {
	most, unit := blockWords*p.perWord, 16*p.perWord
	if p.steps {
		most, unit = most/Int8Block*Int8Block, Int8Block
	}
	blocks := (depth + most - 1) / most
	return ((depth+blocks-1)/blocks + unit - 1) / unit * unit
}

// selected holds the path of each format, chosen once at start.
var selected = choose(cpu.Use())

func pathFor(f Format) *path { return selected[f] }

// Native reports whether the processor multiplies bfloat16s. If not, they are multiplied as
// float32s, which takes longer than fp32 does.
func Native() bool { return pathFor(BF16).perWord == 2 }

// choose returns the paths of a level. If the processor does not multiply bfloat16s, factors are
// rounded while they are packed and multiplied as float32s. The results are the same except for
// the order of sums.
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
