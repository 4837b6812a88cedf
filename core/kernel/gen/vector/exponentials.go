package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// constants are those of package vector's Exp. The algorithm is the same.
func constants() isa.Table {
	f := math.Float32bits
	names := []string{"lowest", "highest", "log2e", "round", "ln2Hi", "ln2Lo", "p0", "p1", "p2", "p3", "p4", "p5", "1", "-inf", "half exponent"}
	return isa.NewTable(names, map[string]uint32{
		"lowest": f(-86.643394), "highest": f(89),
		"log2e": f(1.44269504088896341), "round": f(3 << 22),
		"ln2Hi": f(0.693359375), "ln2Lo": f(-2.12194440e-4),
		"p0": f(1.9875691500e-4), "p1": f(1.3981999507e-3), "p2": f(8.3334519073e-3),
		"p3": f(4.1665795894e-2), "p4": f(1.6666665459e-1), "p5": f(5.0000001201e-1),
		"1": f(1), "-inf": f(float32(math.Inf(-1))), "half exponent": 126 << 23,
	})
}

// limits are the limits of exp's range, kept in registers: as the first operand of a minimum or
// maximum they let a NaN in the second through.
type limits struct{ lowest, highest reg.VecVirtual }

func (w writer) limits() limits {
	return limits{w.Constant(w.table, "lowest"), w.Constant(w.table, "highest")}
}

// exp replaces x by its exponential.
func (w writer) exp(x reg.VecVirtual, lim limits) {
	inRange := w.notLess(x, lim.lowest)
	VMAXPS(x, lim.lowest, x)
	VMINPS(x, lim.highest, x)
	power, n, r := w.Constant(w.table, "round"), w.Vec(), w.Vec()
	VFMADD231PS(w.table.Of("log2e"), x, power) // its low bits are n
	VSUBPS(w.table.Of("round"), power, n)
	VFNMADD231PS(w.table.Of("ln2Hi"), n, x)
	VFNMADD231PS(w.table.Of("ln2Lo"), n, x) // x is r now
	p := w.Constant(w.table, "p0")
	for _, name := range []string{"p1", "p2", "p3", "p4", "p5"} {
		VFMADD213PS(w.table.Of(name), x, p)
	}
	VMULPS(x, x, r)
	VFMADD213PS(x, r, p) // p·r² + r
	VADDPS(w.table.Of("1"), p, p)
	VPSLLD(Imm(23), power, power)
	VPADDD(w.table.Of("half exponent"), power, power) // 2ⁿ⁻¹, because n may be 128
	VADDPS(p, p, p)
	w.multiplyWhere(inRange, power, p, x)
}

// notLess returns the lanes in which x is not less than y; NaN is not less.
func (w writer) notLess(x, y reg.VecVirtual) reg.Register {
	const notLessThan = 5
	if w.Lanes == 16 {
		VCMPPS(Imm(notLessThan), y, x, reg.K2)
		return reg.K2
	}
	mask := w.Vec()
	VCMPPS(Imm(notLessThan), y, x, mask)
	return mask
}

// multiplyWhere computes to = a·b in the lanes of mask, and 0 in the others.
func (w writer) multiplyWhere(mask reg.Register, a, b, to reg.VecVirtual) {
	if w.Lanes == 16 {
		VMULPS_Z(a, b, mask, to)
		return
	}
	VMULPS(a, b, to)
	VANDPS(mask, to, to)
}

// sigmoid returns 1/(1+exp(−x)).
func (w writer) sigmoid(x reg.VecVirtual, lim limits) reg.VecVirtual {
	s, e, one := w.Vec(), w.Zeroed(), w.Constant(w.table, "1")
	VSUBPS(x, e, e)
	w.exp(e, lim)
	VADDPS(one, e, e)
	VDIVPS(e, one, s)
	return s
}

func (w writer) exponentials() {
	w.routine("ExpSum", "x []float32, shift float32", "float32", "computes x = exp(x − shift) and returns its sum.", func() {
		x, shift, sum, lim := base("x"), w.Broadcast("shift"), w.Zeroed(), w.limits()
		w.each("x", func(l *isa.Lanes) {
			v := l.Load(x)
			VSUBPS(shift, v, v)
			w.exp(v, lim)
			l.Store(v, x)
			l.Inside(v, nil)
			VADDPS(v, sum, sum)
		})
		w.result(sum, func(ops ...Op) { VADDPS(ops...) })
	})
	w.routine("Gate", "y, g, u []float32", "", "computes y = g·σ(g)·u.", func() {
		p, lim := bases("y", "g", "u"), w.limits()
		w.each("y", func(l *isa.Lanes) {
			l.Ahead = 2048
			g := l.Load(p[1])
			s := w.sigmoid(g, lim)
			VMULPS(g, s, s)
			VMULPS(l.Load(p[2]), s, s)
			l.Store(s, p[0])
		})
	})
	w.routine("GateGrad", "dg, du, dy, g, u []float32", "", "is the gradient of Gate.", func() {
		p, lim := bases("dg", "du", "dy", "g", "u"), w.limits()
		w.each("dg", func(l *isa.Lanes) {
			l.Ahead = 2048
			g, dy := l.Load(p[3]), l.Load(p[2])
			s := w.sigmoid(g, lim)
			slope, gs := w.Constant(w.table, "1"), w.Vec()
			VMULPS(g, s, gs)
			VSUBPS(s, slope, slope)
			VFMADD213PS(w.table.Of("1"), g, slope) // 1 + g·(1 − σ)
			VMULPS(s, slope, slope)
			VMULPS(dy, slope, slope)
			VMULPS(l.Load(p[4]), slope, slope)
			VMULPS(dy, gs, gs)
			l.Store(slope, p[0])
			l.Store(gs, p[1])
		})
	})
}
