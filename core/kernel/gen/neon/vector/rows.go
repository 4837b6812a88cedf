package main

import (
	"fmt"

	. "github.com/herd-lm/herd/core/kernel/gen/neon"
)

// rows writes the two halves of attention with one query: products with many lines that are
// stride elements apart.
func (w *writer) rows() {
	w.routine("DotRows", "out, q, k []float32, stride int", "", "computes out[j] = Σ q·k[j·stride:].", func() {
		out, count, q, width, k := w.base("out"), w.length("out"), w.base("q"), w.length("q"), w.base("k")
		stride, p, n := w.strideBytes(), []GP{w.GP(), w.GP()}, w.GP()
		w.Loop("row", count, []int{1}, func(int) {
			w.Op("MOVD", q, p[0])
			w.Op("MOVD", k, p[1])
			w.Op("MOVD", width, n)
			w.vec = 0
			sums := w.zeros(totals)
			w.addDot("loop", n, p, sums)
			w.Op("FMOVS.P", w.sum(sums).F(), At(out, 4))
			w.Op("ADD", stride, k)
		})
	})
	w.routine("AddRows", "o, p, v []float32, stride int", "", "computes o += Σ p[j]·v[j·stride:].", func() {
		o, width, p, count, v := w.base("o"), w.length("o"), w.base("p"), w.length("p"), w.base("v")
		w.addRows(o, width, p, count, v, w.strideBytes())
	})
}

// addRows keeps up to 32 elements of o in registers while it processes all rows.
func (w *writer) addRows(o, width, p, count, v, stride GP) {
	line, weight, left := w.GP(), w.GP(), w.GP()
	w.Loop("columns", width, []int{32, 16, 4, 1}, func(n int) {
		w.vec = 0
		factor := w.Vec()
		var sums []Vec
		for i := range max(1, n/4) {
			sums = append(sums, lanes{w, i, n == 1}.load(o))
		}
		w.Op("MOVD", v, line)
		w.Op("MOVD", p, weight)
		w.Op("MOVD", count, left)
		w.Loop(fmt.Sprintf("rows%dby", n), left, []int{1}, func(int) {
			w.Op("FMOVS.P", At(weight, 4), factor.F())
			for i, sum := range sums {
				free := w.vec
				w.MultiplyAddLane(sum, lanes{w, i, n == 1}.load(line), Lane{Vec: factor})
				w.vec = free
			}
			w.Op("ADD", stride, line)
		})
		for i, sum := range sums {
			lanes{w, i, n == 1}.store(sum, o)
		}
		w.Op("ADD", Imm(4*n), o)
		w.Op("ADD", Imm(4*n), v)
	})
}
