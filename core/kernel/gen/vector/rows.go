package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// rows are the two halves of attention with one query: products with many lines
// that lie stride elements apart.
func (w writer) rows() {
	w.routine("DotRows", "out, q, k []float32, stride int", "", "computes out[j] = Σ q·k[j·stride:].", func() {
		out, n, q, k, width := base("out"), length("out"), base("q"), base("k"), length("q")
		stride := Load(Param("stride"), GP64())
		SHLQ(U8(2), stride)
		TESTQ(n, n)
		JE(LabelRef("end"))
		Label("row")
		sum := w.Zeroed()
		w.Each(w.table, "loop", width, func(l *isa.Lanes) { VFMADD231PS(l.Load(q), l.Load(k), sum) })
		VMOVSS(w.Fold(sum, func(ops ...Op) { VADDPS(ops...) }), Mem{Base: out})
		ADDQ(stride, k)
		ADDQ(U8(4), out)
		DECQ(n)
		JNE(LabelRef("row"))
		Label("end")
	})
	w.routine("AddRows", "o, p, v []float32, stride int", "", "computes o += Σ p[j]·v[j·stride:].", func() {
		o, p, v, n := base("o"), base("p"), base("v"), length("p")
		stride := Load(Param("stride"), GP64())
		SHLQ(U8(2), stride)
		w.each("o", func(l *isa.Lanes) {
			name := map[bool]string{false: "row", true: "raggedrow"}[l.Ragged]
			sum, line, weight, left := l.Load(o), GP64(), GP64(), GP64()
			MOVQ(v, line)
			MOVQ(p, weight)
			MOVQ(n, left)
			TESTQ(left, left)
			JE(LabelRef(name + "end"))
			Label(name)
			w1 := w.Vec()
			VBROADCASTSS(Mem{Base: weight}, w1)
			VFMADD231PS(l.Load(line), w1, sum)
			ADDQ(stride, line)
			ADDQ(U8(4), weight)
			DECQ(left)
			JNE(LabelRef(name))
			Label(name + "end")
			l.Store(sum, o)
		})
	})
}
