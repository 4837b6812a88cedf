//go:build amd64 || arm64

package gemm

// Register tiles in assembly, with strides in bytes. All tiles of one kind chain the same
// operations, so that a row does not depend on the tile that computes it.
type (
	packedTile func(tiles, words uint64, a, b, c, add *float32, stride uint64)
	directTile func(tiles, words uint64, a *float32, strideA uint64, b, c, add *float32, stride uint64)

	packedTiles [2]packedTile // of one vector, and of two
	directTiles [2]directTile

	// int8Tile has two vectors: it is a directTile with a panel of int8.
	int8Tile func(depth uint64, a *float32, strideA uint64, panel, c, add *float32, stride uint64)
)

// assembly completes a path with tiles of up to two vectors of lanes. All but the tallest tiles
// prefetch b.
func assembly(p path, lanes int, packed []packedTiles, direct, across []directTiles, quantised []int8Tile) path {
	p.mr, p.nr, p.narrow = len(packed)-1, 2*lanes, lanes
	if p.fetch != nil {
		p.fetching = p.mr - 1
	}
	p.packed = func(tiles, words, rows, cols int, a, b, c, add []float32, stride int) {
		a, b = a[:tiles*words*rows], b[:words*2*lanes]
		packed[rows][cols/lanes-1](uint64(tiles), uint64(words), &a[0], &b[0],
			tileAt(c, tiles*rows, cols, stride), addAt(add, tiles*rows, cols, stride), uint64(4*stride))
	}
	p.direct = func(tiles, words, rows, cols int, a []float32, strideA int, b, c, add []float32, stride int) {
		a, b = a[:(tiles*rows-1)*strideA+words], b[:words*2*lanes]
		direct[rows][cols/lanes-1](uint64(tiles), uint64(words), &a[0], uint64(4*strideA), &b[0],
			tileAt(c, tiles*rows, cols, stride), addAt(add, tiles*rows, cols, stride), uint64(4*stride))
	}
	if across != nil {
		p.across = func(tiles, words, rows, cols int, a []float32, strideA int, b, c, add []float32, stride int) {
			a, b = a[:(words-1)*strideA+tiles*rows], b[:words*2*lanes]
			across[rows][cols/lanes-1](uint64(tiles), uint64(words), &a[0], uint64(4*strideA), &b[0],
				tileAt(c, tiles*rows, cols, stride), addAt(add, tiles*rows, cols, stride), uint64(4*stride))
		}
	}
	p.int8Rows = len(quantised) - 1
	p.directInt8 = func(depth, rows int, a []float32, strideA int, panel, c, add []float32, stride int) {
		callInt8(quantised[rows], &p, depth, rows, a, strideA, panel, c, add, stride)
	}
	return p
}

func callInt8(f int8Tile, p *path, depth, rows int, a []float32, strideA int, panel, c, add []float32, stride int) {
	a, panel = a[:(rows-1)*strideA+p.wordsOf(depth)], panel[:p.int8Size(depth)]
	f(uint64(depth), &a[0], uint64(4*strideA), &panel[0], tileAt(c, rows, p.nr, stride), addAt(add, rows, p.nr, stride), uint64(4*stride))
}

// tileAt and addAt check that a tile is inside its slice, which assembly does not.
func tileAt(c []float32, rows, cols, stride int) *float32 {
	c = c[:(rows-1)*stride+cols]
	return &c[0]
}

func addAt(add []float32, rows, cols, stride int) *float32 {
	if add == nil {
		return nil
	}
	return tileAt(add, rows, cols, stride)
}
