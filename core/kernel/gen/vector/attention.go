package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// attention writes the operations on the rows of a block of scores, all in one call because a row
// is too short to justify one. Rows are whole vectors apart, so that a partial vector at the end
// can be stored as a whole.
func (w writer) attention() {
	w.routine("SoftmaxRows", "s []float32, stride, n int, visible []int32, scale float32, top, sum, shrink []float32", "",
		"takes rows of n scores into online softmaxes; each sees at least one of them.", func() {
			s, p := w.rowsOf("s"), bases("top", "sum", "shrink")
			lim, scale := w.limits(), w.Broadcast("scale")
			s.each(func(visible reg.Register) {
				most, lowest := w.Constant(w.table, "-inf"), w.Constant(w.table, "-inf")
				w.Each(w.table, "max", visible, func(l *isa.Lanes) {
					v := l.Load(s.at)
					l.Inside(v, lowest)
					VMAXPS(v, most, most)
				})
				largest := w.Fold(most, func(ops ...Op) { VMAXPS(ops...) })
				VMULSS(scale.AsX(), largest, largest)
				VMAXSS(Mem{Base: p[0]}, largest, largest)
				top, shrink, sum := w.Vec(), w.Vec(), w.Zeroed()
				VBROADCASTSS(largest, top)
				VBROADCASTSS(Mem{Base: p[0]}, shrink)
				VSUBPS(top, shrink, shrink)
				w.exp(shrink, lim)
				VMOVSS(top.AsX(), Mem{Base: p[0]})
				VMOVSS(shrink.AsX(), Mem{Base: p[2]})
				w.Each(w.table, "exp", visible, func(l *isa.Lanes) {
					v := l.Load(s.at)
					VFMSUB213PS(top, scale, v) // v·scale − top
					w.exp(v, lim)
					l.Inside(v, nil)
					VMOVUPS(v, Mem{Base: s.at, Index: l.Offset, Scale: 1})
					VADDPS(v, sum, sum)
				})
				total, before := w.Fold(sum, func(ops ...Op) { VADDPS(ops...) }), XMM()
				VMOVSS(Mem{Base: p[1]}, before)
				VFMADD213SS(total, shrink.AsX(), before) // before·shrink + total
				VMOVSS(before, Mem{Base: p[1]})
				s.clear(visible, s.at)
			}, p...)
		})
	w.routine("ScoreGradRows", "s, ds []float32, stride, n int, visible []int32, scale float32, lse, delta []float32", "",
		"computes s = exp(scale·s − lse) and ds = scale·s·(ds − delta).", func() {
			s, p := w.rowsOf("s", "ds"), bases("lse", "delta")
			lim, scale, ds := w.limits(), w.Broadcast("scale"), s.also[0]
			s.each(func(visible reg.Register) {
				lse, delta := w.Vec(), w.Vec()
				VBROADCASTSS(Mem{Base: p[0]}, lse)
				VBROADCASTSS(Mem{Base: p[1]}, delta)
				w.Each(w.table, "exp", visible, func(l *isa.Lanes) {
					v, d := l.Load(s.at), l.Load(ds)
					VFMSUB213PS(lse, scale, v)
					w.exp(v, lim)
					l.Inside(v, nil)
					VMOVUPS(v, Mem{Base: s.at, Index: l.Offset, Scale: 1})
					VSUBPS(delta, d, d)
					VMULPS(scale, d, d)
					VMULPS(v, d, d)
					l.Inside(d, nil)
					VMOVUPS(d, Mem{Base: ds, Index: l.Offset, Scale: 1})
				})
				s.clear(visible, s.at, ds)
			}, p...)
		})
	w.routine("ScaleRows", "y []float32, by []float32", "", "multiplies each of len(by) rows, side by side, by its factor.", func() {
		y, by, left, width := base("y"), base("by"), length("by"), length("y")
		TESTQ(left, left)
		JE(LabelRef("end"))
		MOVQ(width, reg.RAX)
		XORL(reg.EDX, reg.EDX)
		DIVQ(left)
		MOVQ(reg.RAX, width)
		Label("row")
		factor := w.Vec()
		VBROADCASTSS(Mem{Base: by}, factor)
		w.Each(w.table, "loop", width, func(l *isa.Lanes) {
			v := l.Load(y)
			VMULPS(factor, v, v)
			l.Store(v, y)
		})
		LEAQ(Mem{Base: y, Index: width, Scale: 4}, y)
		ADDQ(U8(4), by)
		DECQ(left)
		JNE(LabelRef("row"))
		Label("end")
	})
}

// scoreRows is a loop over rows of scores, each of which sees its own number of scores.
type scoreRows struct {
	writer
	at      reg.Register   // address of the row
	also    []reg.Register // and the same row of other arrays
	visible reg.Register
	left    reg.Register
	stride  reg.Register
}

func (w writer) rowsOf(first string, others ...string) scoreRows {
	return scoreRows{w, base(first), bases(others...), base("visible"), length("visible"), strideBytes()}
}

// each calls body with the number of scores that a row sees. perRow are arrays with one element
// for each row.
func (s scoreRows) each(body func(visible reg.Register), perRow ...reg.Register) {
	TESTQ(s.left, s.left)
	JE(LabelRef("end"))
	Label("row")
	n := GP64()
	MOVLQSX(Mem{Base: s.visible}, n)
	body(n)
	for _, p := range append(perRow, s.visible) {
		ADDQ(U8(4), p)
	}
	for _, p := range append(s.also, s.at) {
		ADDQ(s.stride, p)
	}
	DECQ(s.left)
	JNE(LabelRef("row"))
	Label("end")
}

// clear stores zeros behind the vectors that hold the visible scores, up to n.
func (s scoreRows) clear(visible reg.Register, rows ...reg.Register) {
	zero, from, end := s.Zeroed(), GP64(), GP64()
	LEAQ(Mem{Base: visible, Disp: s.Lanes - 1}, from)
	ANDQ(I32(-s.Lanes), from)
	Load(Param("n"), end)
	Label("clear")
	CMPQ(from, end)
	JGE(LabelRef("cleared"))
	for _, row := range rows {
		VMOVUPS(zero, Mem{Base: row, Index: from, Scale: 4})
	}
	ADDQ(U8(s.Lanes), from)
	JMP(LabelRef("clear"))
	Label("cleared")
}
