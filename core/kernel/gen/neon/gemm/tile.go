package main

import (
	"fmt"

	. "github.com/herd-lm/herd/core/kernel/gen/neon"
)

// mostRows is the number of rows of two sums that leaves eight of the 32 registers for two
// vectors of b and elements of a. 24 chains of multiply-adds then run at a time; four pipes with
// a latency of four cycles need 16.
const mostRows = 12

// Vector registers 0 to 23 hold the sums, two to a row.
const (
	firstB Vec = 24 // a word of b takes two, packed; two words take four, direct
	packA  Vec = 26 // a word of all rows, four rows to a register
	rowA   Vec = 28 // two words of each of four rows
)

const (
	words GP = iota
	b
	a
	strideA
	c
	stride
	at     // a row of c
	rowsOf // of a: the pointer to row r, except row 0, is register rowsOf + r - 1

	// 18 is reserved for the system.
	offset GP = iota + 11 // of a word in its row, in bytes
	tiles
	add
)

// kernel writes the code of one tile.
type kernel struct {
	*File
	rows, vectors int
}

func (k kernel) sum(r, v int) Vec { return Vec(k.vectors*r + v) }

// tile writes a kernel for one layout of a. multiply adds up the products of a tile and leaves a
// at the start of the next.
func (k kernel) tile(layout, doc, arguments string, multiply func()) {
	name := fmt.Sprintf("neon%s%dx%d", layout, k.rows, k.vectors)
	doc = fmt.Sprintf("computes tiles c[%d,%d] = a·b + add, one below the other, at least one, from "+doc+" and b[words][8]; add may be nil. stride is in bytes.", k.rows, 4*k.vectors, k.rows)
	k.Routine(name, "(tiles, words uint64, "+arguments+", stride uint64)", doc, func() {
		k.Op("MOVD", k.Argument("tiles"), tiles)
		k.Op("MOVD", k.Argument("a"), a)
		k.Op("MOVD", k.Argument("c"), c)
		k.Op("MOVD", k.Argument("add"), add)
		k.Op("MOVD", k.Argument("stride"), stride)
		k.Label("tile")
		k.Op("MOVD", k.Argument("words"), words)
		k.Op("MOVD", k.Argument("b"), b)
		k.Op("MOVD", c, at)
		k.eachRow(at, func(int) { // prefetch the tile of c during the multiplication
			k.Op("PRFM", At(at, 0), "PSTL1KEEP")
			k.Op("PRFM", At(at, 16*k.vectors-8), "PSTL1KEEP")
		})
		for i := range Vec(k.vectors * k.rows) {
			k.Zero(i)
		}
		multiply()
		k.store()
		k.Op("SUB", Imm(1), tiles)
		k.Op("CBZ", tiles, "done")
		k.Op("ADD", stride, c)
		k.Op("CBZ", add, "tile")
		k.Op("ADD", stride, add)
		k.Op("B", "tile")
		k.Label("done")
	})
}

// packed reads a word of all rows, four to a register, and multiplies by element. For 12 rows,
// three loads of a and one of b serve 24 multiply-adds.
func (k kernel) packed() {
	k.Loop("word", words, []int{4, 1}, func(n int) {
		for u := range n {
			k.loadB(firstB, 32*u)
			elements := k.loadWord(4 * u * k.rows)
			for r, element := range elements {
				for v := range k.vectors {
					k.MultiplyAddLane(k.sum(r, v), firstB+Vec(v), element)
				}
			}
		}
		k.Op("ADD", Imm(4*n*k.rows), a)
		k.Op("ADD", Imm(32*n), b)
	})
}

// loadWord reads one word of each row from a's panel, nothing beyond it, and returns the lane of
// each.
func (k kernel) loadWord(offset int) (elements []Lane) {
	load := func(move string, lanes int) {
		v := packA
		if n := len(elements); n > 0 {
			v = elements[n-1].Vec + 1
		}
		k.Op(move, At(a, offset+4*len(elements)), v.F())
		for i := range lanes {
			elements = append(elements, Lane{Vec: v, Index: i})
		}
	}
	for k.rows-len(elements) >= 4 {
		load("FMOVQ", 4)
	}
	if k.rows-len(elements) >= 2 {
		load("FMOVD", 2)
	}
	if k.rows > len(elements) {
		load("FMOVS", 1)
	}
	return elements
}

// direct reads two words of each row. For 12 rows, 12 loads of a and two of b serve 48
// multiply-adds.
func (k kernel) direct() {
	k.Op("MOVD", k.Argument("strideA"), strideA)
	k.Op("MOVD", Imm(0), offset)
	row := func(r int) GP {
		if r == 0 {
			return a
		}
		return rowsOf + GP(r-1)
	}
	for r := 1; r < k.rows; r++ {
		k.Op("ADD", strideA, row(r-1), row(r))
	}
	k.Loop("word", words, []int{2, 1}, func(n int) {
		for u := range n {
			k.loadB(firstB+Vec(2*u), 32*u)
		}
		for r := 0; r < k.rows; r += 4 {
			four := min(4, k.rows-r)
			for i := range four {
				k.Op(map[int]string{1: "FMOVS", 2: "FMOVD"}[n], Indexed(row(r+i), offset), (rowA + Vec(i)).F())
			}
			k.multiplyRows(r, four, n)
		}
		k.Op("ADD", Imm(4*n), offset)
		k.Op("ADD", Imm(32*n), b)
	})
	k.Op("ADD", strideA, row(k.rows-1), a)
}

// multiplyRows adds the products of n words of rows [r, r+rows). The next product of a sum comes
// after those of the other rows, because it waits for the one before.
func (k kernel) multiplyRows(r, rows, n int) {
	for u := range n {
		for i := range rows {
			for v := range k.vectors {
				k.MultiplyAddLane(k.sum(r+i, v), firstB+Vec(2*u+v), Lane{Vec: rowA + Vec(i), Index: u})
			}
		}
	}
}

// loadB reads the vectors of one word of b into registers from first on.
func (k kernel) loadB(first Vec, offset int) { k.move(b, offset, first, false) }

// move loads or stores the vectors of a row.
func (k kernel) move(base GP, offset int, first Vec, store bool) {
	move, memory, registers := "FLDPQ", At(base, offset), Pair(first, first+1)
	if k.vectors == 1 {
		move, registers = "FMOVQ", first.F()
	}
	if !store {
		k.Op(move, memory, registers)
		return
	}
	if k.vectors == 2 {
		move = "FSTPQ"
	}
	k.Op(move, registers, memory)
}

// store adds add to the sums, unless it is nil, and stores them. c and add point to their last
// rows at that point.
func (k kernel) store() {
	k.Op("CBZ", add, "store")
	k.eachRow(add, func(r int) {
		k.move(add, 0, firstB, false)
		for v := range k.vectors {
			k.Add(k.sum(r, v), k.sum(r, v), firstB+Vec(v))
		}
	})
	k.Label("store")
	k.eachRow(c, func(r int) { k.move(c, 0, k.sum(r, 0), true) })
}

// eachRow calls f for each row and advances at by stride in between.
func (k kernel) eachRow(at GP, f func(r int)) {
	for r := range k.rows {
		f(r)
		if r < k.rows-1 {
			k.Op("ADD", stride, at)
		}
	}
}
