// Package gemm multiplies float32 matrices on one thread. It knows nothing of
// models or of threads: package kernel splits the work and calls it.
//
// A product is c[i,j] = Σ_k a(i,k)·b(j,k): both operands are sets of lines that
// share the depth k. A line is a row or a column of a row-major array (Rows,
// Columns), which gives the three forms that training needs (x·wᵀ, dy·w, dyᵀ·x)
// without a transposed copy.
//
// The scheme is that of Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008): panels of both operands are packed so that a
// register tile reads them in order. An element of c is a sum over depth blocks
// whose borders depend on the depth alone, and within a block a chain in order
// of k. So it does not depend on how many other lines are in the call, nor on
// how a caller splits lines over threads, bit for bit.
package gemm

import "github.com/herd-lm/herd/core/memory"

// Operand is a set of lines of equal depth.
type Operand struct {
	Data    []float32
	Stride  int  // elements from one row of Data to the next
	Columns bool // line i is column i of Data, not row i
}

// Rows returns the operand whose line i is data[i*stride : i*stride+depth].
func Rows(data []float32, stride int) Operand { return Operand{data, stride, false} }

// Columns returns the operand whose line i is data[i], data[i+stride], ...
func Columns(data []float32, stride int) Operand { return Operand{data, stride, true} }

// From returns the operand without its first lines.
func (o Operand) From(line int) Operand {
	if o.Columns {
		return Operand{o.Data[line:], o.Stride, true}
	}
	return Operand{o.Data[line*o.Stride:], o.Stride, false}
}

// Block sizes: a packed panel of b (blockDepth x tile width) stays in the first
// level cache, the packed block of a in the second.
const (
	blockDepth = 256
	blockA     = 336 // lines of a
	blockB     = 2048
)

// slack is how far a packing routine may write past the panel that it fills.
const slack = 64

type scratch struct {
	a    [(blockA + 32) * blockDepth]float32
	b    [(blockB + 32) * blockDepth]float32
	edge [tileMost]float32
	_    [slack]float32
}

var scratches memory.Pool[scratch]

// Multiply computes c[i,j] = Σ_k a(i,k)·b(j,k) for i < m, j < n, with k < depth;
// accumulate adds to c instead. Row i of c starts at c[i*stride]. c must not
// overlap an operand.
func Multiply(c []float32, stride int, a, b Operand, m, n, depth int, accumulate bool) {
	if m == 0 || n == 0 {
		return
	}
	if depth == 0 {
		clearUnless(accumulate, c, stride, m, n)
		return
	}
	s := scratches.Get()
	p := product{path: selected, scratch: s, c: c, stride: stride, a: a, b: b, m: m, n: n}
	step := depthStep(depth)
	for k := 0; k < depth; k += step {
		p.k, p.kc, p.accumulate = k, min(step, depth-k), accumulate || k > 0
		p.depthBlock()
	}
	scratches.Put(s)
}

func clearUnless(accumulate bool, c []float32, stride, m, n int) {
	if accumulate {
		return
	}
	for i := range m {
		clear(c[i*stride:][:n])
	}
}

// depthStep divides depth into equal blocks; it may depend on nothing else, or
// a row's result would depend on its company.
func depthStep(depth int) int {
	blocks := (depth + blockDepth - 1) / blockDepth
	return ((depth+blocks-1)/blocks + 15) &^ 15
}

// product is one Multiply at one depth block [k, k+kc).
type product struct {
	*path
	*scratch
	c          []float32
	stride     int
	a, b       Operand
	m, n       int
	k, kc      int
	accumulate bool
}

func (p *product) depthBlock() {
	most := blockA / p.mr * p.mr
	for j := 0; j < p.n; j += blockB {
		for i := 0; i < p.m; i += most {
			p.packA(i, min(most, p.m-i))
			p.tiles(i, min(most, p.m-i), j, min(blockB, p.n-j))
		}
	}
}

// packA packs lines [i0, i0+lines) of a as panels of at most mr lines, each
// [kc][width]; panel i starts at scratch.a[i*kc].
func (p *product) packA(i0, lines int) {
	for i := 0; i < lines; i += p.mr {
		rows := min(p.mr, lines-i)
		p.pack(p.scratch.a[i*p.kc:], p.a, i0+i, rows, p.k, p.kc, p.widthA(rows))
	}
}

// widthA is the packed width of a panel of a with the given number of rows.
func (p *product) widthA(rows int) int { return (rows + p.pad - 1) / p.pad * p.pad }

// tiles multiplies the packed lines [i0, i0+mc) of a with lines [j0, j0+nc) of
// b. Panels of b are packed when the first block of a needs them, and are still
// there for the next.
func (p *product) tiles(i0, mc, j0, nc int) {
	for j := 0; j < nc; j += p.nr {
		panel := p.scratch.b[j*p.kc:]
		cols := min(p.nr, nc-j)
		if i0 == 0 {
			p.pack(panel, p.b, j0+j, cols, p.k, p.kc, p.nr)
		}
		for i := 0; i < mc; i += p.mr {
			rows := min(p.mr, mc-i)
			p.tile(p.scratch.a[i*p.kc:], panel, (i0+i)*p.stride+j0+j, rows, cols)
		}
	}
}

// tile computes one register tile [rows, cols] of c, which starts at c[at]. A
// tile that is narrower than the kernel's goes through a buffer.
func (p *product) tile(a, b []float32, at, rows, cols int) {
	if p.widthA(rows) == rows && cols == p.nr {
		p.kernel(p.kc, rows, a, b, p.c[at:], p.stride, p.accumulate)
		return
	}
	edge := p.edge[:]
	p.kernel(p.kc, p.widthA(rows), a, b, edge, p.nr, false)
	for r := range rows {
		store(p.c[at+r*p.stride:][:cols], edge[r*p.nr:], p.accumulate)
	}
}

func store(c, tile []float32, accumulate bool) {
	if !accumulate {
		copy(c, tile)
		return
	}
	for j := range c {
		c[j] += tile[j]
	}
}

// Tile returns the lines of a and of b in one register tile: work that is split
// in multiples of them has no ragged edges inside.
func Tile() (a, b int) { return selected.mr, selected.nr }
