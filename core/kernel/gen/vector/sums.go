package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// A sum has one running total per lane; Fold joins them at the end.
func (w writer) sums() {
	w.routine("Dot", "a, b []float32", "float32", "returns Σ a·b.", func() {
		p, sum := bases("a", "b"), w.Zeroed()
		w.each("a", func(l *isa.Lanes) { VFMADD231PS(l.Load(p[0]), l.Load(p[1]), sum) })
		w.result(sum, func(ops ...Op) { VADDPS(ops...) })
	})
	w.routine("Dot3", "a, b, c []float32", "float32", "returns Σ a·b·c.", func() {
		p, sum := bases("a", "b", "c"), w.Zeroed()
		w.each("a", func(l *isa.Lanes) {
			ab := l.Load(p[0])
			VMULPS(l.Load(p[1]), ab, ab)
			VFMADD231PS(l.Load(p[2]), ab, sum)
		})
		w.result(sum, func(ops ...Op) { VADDPS(ops...) })
	})
	w.routine("Max", "x []float32", "float32", "returns the largest of x, or -Inf.", func() {
		x, most, lowest := base("x"), w.Constant(w.table, "-inf"), w.Constant(w.table, "-inf")
		w.each("x", func(l *isa.Lanes) {
			v := l.Load(x)
			l.Inside(v, lowest)
			VMAXPS(v, most, most)
		})
		w.result(most, func(ops ...Op) { VMAXPS(ops...) })
	})
	w.routine("SumSquares", "x []float32", "float64", "returns Σ x² in float64.", func() {
		x, low, high := base("x"), w.Zeroed(), w.Zeroed()
		w.each("x", func(l *isa.Lanes) {
			v := l.Load(x)
			w.addSquares(v, 0, low)
			w.addSquares(v, 1, high)
		})
		VADDPD(high, low, low)
		w.result64(low)
	})
}

// addSquares adds the squares of one half of v to sum, as float64.
func (w writer) addSquares(v reg.VecVirtual, half uint8, sum reg.VecVirtual) {
	wide := w.Vec()
	if w.Lanes == 16 {
		y := YMM()
		VEXTRACTF64X4(Imm(uint64(half)), v, y)
		VCVTPS2PD(y, wide)
	} else {
		x := XMM()
		VEXTRACTF128(Imm(uint64(half)), v, x)
		VCVTPS2PD(x, wide)
	}
	VFMADD231PD(wide, wide, sum)
}

func (w writer) result(v reg.VecVirtual, combine func(ops ...Op)) {
	isa.ReturnLowest(w.Fold(v, combine), false)
}

func (w writer) result64(v reg.VecVirtual) {
	if w.Lanes == 16 {
		upper := YMM()
		VEXTRACTF64X4(Imm(1), v, upper)
		VADDPD(upper, v.AsY(), v.AsY())
	}
	upper, x := XMM(), v.AsX()
	VEXTRACTF128(Imm(1), v.AsY(), upper)
	VADDPD(upper, x, x)
	VPERMILPD(Imm(1), x, upper)
	VADDPD(upper, x, x)
	isa.ReturnLowest(x, true)
}
