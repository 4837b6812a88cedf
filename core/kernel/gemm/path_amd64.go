package gemm

//go:generate go -C ../gen run ./gemm -out ../gemm/gemm_amd64.s -stubs ../gemm/stub_amd64.go -pkg gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

var (
	avx512 = path{level: cpu.AVX512, mr: 14, nr: 32, pad: 1, kernel: tileAVX512, pack: packAVX512}
	avx2   = path{level: cpu.AVX2, mr: 6, nr: 16, pad: 1, kernel: tileAVX2, pack: packAVX2}
)

// paths are the ways to multiply, by level.
var paths = []*path{&portable, &avx2, &avx512}

// tileFunc is a register tile in assembly, its strides in bytes.
type tileFunc func(kc uint64, a, b, c *float32, stride, accumulate uint64)

// By number of rows. All chain the same operations, so that a row does not
// depend on which tile it falls into.
var (
	tiles512 = [...]tileFunc{nil, avx512Tile1, avx512Tile2, avx512Tile3, avx512Tile4, avx512Tile5, avx512Tile6, avx512Tile7,
		avx512Tile8, avx512Tile9, avx512Tile10, avx512Tile11, avx512Tile12, avx512Tile13, avx512Tile14}
	tiles256 = [...]tileFunc{nil, avx2Tile1, avx2Tile2, avx2Tile3, avx2Tile4, avx2Tile5, avx2Tile6}
)

func tileAVX512(kc, rows int, a, b, c []float32, stride int, accumulate bool) {
	callTile(tiles512[rows], 32, kc, rows, a, b, c, stride, accumulate)
}

func tileAVX2(kc, rows int, a, b, c []float32, stride int, accumulate bool) {
	callTile(tiles256[rows], 16, kc, rows, a, b, c, stride, accumulate)
}

// callTile checks what assembly does not: that panels and tile are inside their
// slices.
func callTile(f tileFunc, cols, kc, rows int, a, b, c []float32, stride int, accumulate bool) {
	a, b, c = a[:kc*rows], b[:kc*cols], c[:(rows-1)*stride+cols]
	var add uint64
	if accumulate {
		add = 1
	}
	f(uint64(kc), &a[0], &b[0], &c[0], uint64(4*stride), add)
}

func packAVX512(dst []float32, o Operand, i, lines, k, kc, width int) {
	packVectors(16, dst, o, i, lines, k, kc, width)
}

func packAVX2(dst []float32, o Operand, i, lines, k, kc, width int) {
	packVectors(8, dst, o, i, lines, k, kc, width)
}

// packVectors packs with vectors of the given lanes, 16 or 8: columns are copied
// row by row, rows transposed in square blocks, the rest of the depth one by one.
func packVectors(lanes int, dst []float32, o Operand, i, lines, k, kc, width int) {
	if o.Columns {
		copyRows(lanes, room(dst, kc, width), columns(o, i, lines, k, kc), kc, o.Stride, lines, width)
		return
	}
	whole := kc / lanes * lanes
	for r := 0; r < lines && whole > 0; r += lanes {
		var at [16]*float32
		pointers(at[:lanes], o, i+r, lines-r, k, whole)
		part := room(dst[r:], whole, width)
		if lanes == 16 {
			avx512Transpose(uint64(kc/lanes), &at, &part[0], uint64(4*width))
		} else {
			avx2Transpose(uint64(kc/lanes), &at, &part[0], uint64(4*width))
		}
	}
	if whole < kc {
		packPortable(dst[whole*width:], o, i, lines, k+whole, kc-whole, width)
	}
}

// masks has 32 set lanes, then 32 that are not: a mask of n lanes starts at 32-n.
var masks = func() (m [64]int32) {
	for i := range 32 {
		m[i] = -1
	}
	return m
}()

func copyRows(lanes int, dst, src []float32, k, stride, lines, width int) {
	n, from, to, mask := uint64(k), uint64(4*stride), uint64(4*width), &masks[32-lines]
	switch two := width > lanes; {
	case lanes == 16 && two:
		avx512CopyRows2(n, &src[0], from, &dst[0], to, mask)
	case lanes == 16:
		avx512CopyRows1(n, &src[0], from, &dst[0], to, mask)
	case two:
		avx2CopyRows2(n, &src[0], from, &dst[0], to, mask)
	default:
		avx2CopyRows1(n, &src[0], from, &dst[0], to, mask)
	}
}

// room returns the part of dst that packing kc rows may write.
func room(dst []float32, kc, width int) []float32 { return dst[:(kc-1)*width+slack] }

// columns returns exactly what packing reads of an operand made of columns.
func columns(o Operand, i, lines, k, kc int) []float32 {
	return o.Data[k*o.Stride+i:][:(kc-1)*o.Stride+lines]
}

// pointers sets at[r] to where line i+r has depth k; where there are fewer
// lines, the last one stands in for those that are missing.
func pointers(at []*float32, o Operand, i, lines, k, kc int) {
	for r := range at {
		line := o.Data[(i+min(r, lines-1))*o.Stride+k:][:kc]
		at[r] = &line[0]
	}
}
