package gemm

func packAVX512(dst []float32, o Operand, i, lines, k, kc, width int) {
	packVectors(16, dst, o, i, lines, k, kc, width)
}

func packAVX2(dst []float32, o Operand, i, lines, k, kc, width int) {
	packVectors(8, dst, o, i, lines, k, kc, width)
}

// packVectors packs with vectors of the given number of lanes, 16 or 8. It copies columns row by
// row, transposes rows in square blocks, and packs the rest of the depth one by one.
func packVectors(lanes int, dst []float32, o Operand, i, lines, k, kc, width int) {
	if o.Columns {
		copyRows(lanes, room(dst, kc, width), columns(o, i, lines, k, kc), kc, o.Stride, lines, width)
		return
	}
	whole := kc / lanes * lanes
	for r := 0; r < lines && whole > 0; r += lanes {
		part := room(dst[r:], whole, width)[:(whole-1)*width+lanes]
		if r+lanes <= lines {
			transposeRows(lanes, part, o.Data[o.at(i+r, k):][:(lanes-1)*o.Stride+whole], o.Stride, whole, width)
			continue
		}
		var at [16]*float32
		pointers(at[:lanes], o, i+r, lines-r, k, whole)
		if lanes == 16 {
			avx512Transpose(uint64(kc/lanes), &at, ahead(o), &part[0], uint64(4*width))
		} else {
			avx2Transpose(uint64(kc/lanes), &at, ahead(o), &part[0], uint64(4*width))
		}
	}
	if whole < kc {
		packPortable(dst[whole*width:], o, i, lines, k+whole, kc-whole, width)
	}
}

// transposeRows packs as many rows as there are lanes, stride apart.
func transposeRows(lanes int, dst, src []float32, stride, depth, width int) {
	if lanes == 16 {
		avx512TransposeRows(uint64(depth/lanes), &src[0], uint64(4*stride), &dst[0], uint64(4*width))
	} else {
		avx2TransposeRows(uint64(depth/lanes), &src[0], uint64(4*stride), &dst[0], uint64(4*width))
	}
}

// ahead is how far ahead to prefetch, in bytes from a line to the line sixteen further on, which
// will be transposed in its place.
func ahead(o Operand) uint64 { return uint64(16 * 4 * o.Stride) }

// masks has 32 set lanes, then 32 unset ones: a mask of n lanes starts at 32-n.
var masks = func() (m [64]int32) {
	for i := range 32 {
		m[i] = -1
	}
	return m
}()

// vectorsOf returns how many vectors a row of copied columns takes, 1 or 2.
func vectorsOf(width, lanes int) int {
	if width > lanes {
		return 2
	}
	return 1
}

func copyRows(lanes int, dst, src []float32, k, stride, lines, width int) {
	n, from, to, mask := uint64(k), uint64(4*stride), uint64(4*width), &masks[32-lines]
	dst = dst[:(k-1)*width+vectorsOf(width, lanes)*lanes]
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

// room returns the part of dst that packing k rows may write to.
func room(dst []float32, k, width int) []float32 { return dst[:min(len(dst), (k-1)*width+64)] }

// columns returns exactly the elements that packing reads from an operand of columns.
func columns(o Operand, i, lines, k, kc int) []float32 {
	return o.Data[o.at(i, k):][:(kc-1)*o.Stride+lines]
}

// pointers sets at[r] to the address of depth k of line i+r. If there are fewer lines, the last
// one replaces those that are missing.
func pointers(at []*float32, o Operand, i, lines, k, kc int) {
	for r := range at {
		line := o.Data[o.at(i+min(r, lines-1), k):][:kc]
		at[r] = &line[0]
	}
}

// packBF16 packs pairs of depths; an odd depth at the end is paired with 0.
func packBF16(dst []float32, o Operand, i, lines, k, kc, width int) {
	if o.Columns {
		packColumnsBF16(dst, o, i, lines, k, kc, width)
		return
	}
	const block = 32 // depths per iteration of the routine
	whole := kc / block * block
	for r := 0; r < lines; r += 16 {
		var at [16]*float32
		if whole > 0 {
			pointers(at[:], o, i+r, lines-r, k, whole)
			part := dst[r:][:(whole/2-1)*width+16]
			bf16Transpose(uint64(whole/block), &at, ahead(o), &part[0], uint64(4*width), &masks[0])
		}
		if rest := kc - whole; rest > 0 {
			var last [16 * 16]float32
			pointers(at[:], o, i+r, lines-r, k+whole, rest)
			bf16Transpose(1, &at, ahead(o), &last[0], 64, &masks[32-rest])
			for w := range (rest + 1) / 2 {
				n := min(16, width-r)
				copy(dst[(whole/2+w)*width+r:][:n], last[w*16:])
			}
		}
	}
}

func packColumnsBF16(dst []float32, o Operand, i, lines, k, kc, width int) {
	vectors, pairs := vectorsOf(width, 16), kc/2
	if pairs > 0 {
		src := columns(o, i, lines, k, 2*pairs)
		copyPairs(vectors, pairs, src, o.Stride, dst[:(pairs-1)*width+16*vectors], width, lines)
	}
	if kc%2 == 1 {
		var last [2 * 32]float32 // the odd row, and a row of zeros
		copy(last[:32], columns(o, i, lines, k+kc-1, 1))
		var out [32]float32
		copyPairs(vectors, 1, last[:], 32, out[:], 32, lines)
		copy(dst[pairs*width:][:width], out[:])
	}
}

func copyPairs(vectors, pairs int, src []float32, stride int, dst []float32, width, lines int) {
	if vectors == 2 {
		bf16CopyRows2(uint64(pairs), &src[0], uint64(4*stride), &dst[0], uint64(4*width), &masks[32-lines])
	} else {
		bf16CopyRows1(uint64(pairs), &src[0], uint64(4*stride), &dst[0], uint64(4*width), &masks[32-lines])
	}
}

// roundRow writes row as pairs of bfloat16s. It writes 0 beyond them.
func roundRow(dst, row []float32, stride int) {
	const rows = 8 // rows to prefetch ahead
	blocks := (len(row) + 31) / 32
	dst = dst[:16*blocks]
	bf16Round(uint64(blocks), &row[0], uint64(rows*4*stride), &dst[0], &masks[32*blocks-len(row)])
}

func sideAVX512(dst []float32, o Operand, i, panels, width, k, kc int) {
	src, dst := side(dst, o, i, panels, width, k, kc, kc)
	avx512CopyPanels(uint64(kc), &src[0], uint64(4*o.Stride), &dst[0], uint64(4*kc*width), uint64(panels), uint64(4*width), &masks[32-width])
}

func sideAVX2(dst []float32, o Operand, i, panels, width, k, kc int) {
	src, dst := side(dst, o, i, panels, width, k, kc, kc)
	avx2CopyPanels(uint64(kc), &src[0], uint64(4*o.Stride), &dst[0], uint64(4*kc*width), uint64(panels), uint64(4*width), &masks[32-width])
}

func sideBF16(dst []float32, o Operand, i, panels, width, k, kc int) {
	words := kc / 2
	src, dst := side(dst, o, i, panels, width, k, kc, words)
	bf16CopyPanels(uint64(words), &src[0], uint64(4*o.Stride), &dst[0], uint64(4*words*width), uint64(panels), uint64(4*width), &masks[32-width])
}

// side returns exactly the memory that packing panels side by side reads and writes.
func side(dst []float32, o Operand, i, panels, width, k, kc, words int) (from, to []float32) {
	return columns(o, i, panels*width, k, kc), dst[:panels*width*words]
}

func fetch(src []float32, rows, size, stride int) {
	src = src[:(rows-1)*stride+size]
	fetchRows(uint64(rows), &src[0], uint64(4*stride), uint64(4*size))
}

func widenAVX512(dst, panel []float32, depth int) { avx512Widen(uint64(depth), &panel[0], &dst[0]) }
func widenAVX2(dst, panel []float32, depth int)   { avx2Widen(uint64(depth), &panel[0], &dst[0]) }
func widenBF16(dst, panel []float32, depth int)   { bf16Widen(uint64(depth), &panel[0], &dst[0]) }
