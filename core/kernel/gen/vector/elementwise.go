package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

func (w writer) elementwise() {
	w.routine("Scale", "y []float32, a float32", "", "computes y *= a.", func() {
		y, a := base("y"), w.Broadcast("a")
		w.each("y", func(l *isa.Lanes) {
			v := l.Load(y)
			VMULPS(a, v, v)
			l.Store(v, y)
		})
	})
	w.routine("AddScaled", "y []float32, a float32, x []float32", "", "computes y += a·x.", func() {
		p, a := bases("y", "x"), w.Broadcast("a")
		w.each("y", func(l *isa.Lanes) {
			v := l.Load(p[0])
			VFMADD231PS(l.Load(p[1]), a, v)
			l.Store(v, p[0])
		})
	})
	w.routine("Product", "y, a, b []float32, r float32", "", "computes y = a·r·b.", func() {
		p, r := bases("y", "a", "b"), w.Broadcast("r")
		w.each("y", func(l *isa.Lanes) {
			v := l.Load(p[1])
			VMULPS(r, v, v)
			VMULPS(l.Load(p[2]), v, v)
			l.Store(v, p[0])
		})
	})
	w.routine("AddProduct", "y, a, b []float32, r float32", "", "computes y += a·r·b.", func() {
		p, r := bases("y", "a", "b"), w.Broadcast("r")
		w.each("y", func(l *isa.Lanes) {
			v, sum := l.Load(p[1]), l.Load(p[0])
			VMULPS(r, v, v)
			VFMADD231PS(l.Load(p[2]), v, sum)
			l.Store(sum, p[0])
		})
	})
	w.normGrad("NormGrad", "dx, dy, x, g []float32, r, c float32", "computes dx = r·(dy·g − x·c).", false)
	w.normGrad("NormGradAdd", "dx, dy, x, g, add []float32, r, c float32", "computes dx = add + r·(dy·g − x·c).", true)
	w.rotate()
}

func (w writer) normGrad(name, parameters, doc string, add bool) {
	w.routine(name, parameters, "", doc, func() {
		p, r, c := bases("dx", "dy", "x", "g"), w.Broadcast("r"), w.Broadcast("c")
		if add {
			p = append(p, base("add"))
		}
		w.each("dx", func(l *isa.Lanes) {
			v, xc := l.Load(p[1]), l.Load(p[2])
			VMULPS(c, xc, xc)
			VFMSUB132PS(l.Load(p[3]), xc, v) // dy·g − xc
			if add {
				VFMADD213PS(l.Load(p[4]), r, v)
			} else {
				VMULPS(r, v, v)
			}
			l.Store(v, p[0])
		})
	})
}

func (w writer) rotate() {
	w.routine("Rotate", "x, cos, sin []float32, sign float32", "", "turns each (x[i], x[i+half]) by the angle of cos[i] and sign·sin[i], in every run of 2·half elements, half being len(cos).", func() {
		left, p, half, sign := length("x"), bases("x", "cos", "sin"), length("cos"), w.Broadcast("sign")
		run, second := GP64(), GP64()
		LEAQ(Mem{Base: half, Index: half, Scale: 1}, run)
		TESTQ(run, run)
		JE(LabelRef("end"))
		Label("run")
		CMPQ(left, run)
		JL(LabelRef("end"))
		LEAQ(Mem{Base: p[0], Index: half, Scale: 4}, second)
		w.Each(w.table, "loop", half, func(l *isa.Lanes) {
			a, b, cos, s := l.Load(p[0]), l.Load(second), l.Load(p[1]), l.Load(p[2])
			VMULPS(sign, s, s)
			as, bs := w.Vec(), w.Vec()
			VMULPS(s, a, as)
			VMULPS(s, b, bs)
			VFMSUB213PS(bs, cos, a) // a·cos − b·s
			VFMADD213PS(as, cos, b)
			l.Store(a, p[0])
			l.Store(b, second)
		})
		LEAQ(Mem{Base: p[0], Index: run, Scale: 4}, p[0])
		SUBQ(run, left)
		JMP(LabelRef("run"))
		Label("end")
	})
}

func (w writer) adam() {
	w.routine("Adam", "w, g, m, v []float32, keep, step, root, eps, new1, keep2, factor float32", "", "makes one step of AdamW.", func() {
		p := bases("w", "g", "m", "v")
		keep, step, root, eps := w.Broadcast("keep"), w.Broadcast("step"), w.Broadcast("root"), w.Broadcast("eps")
		new1, keep2, factor := w.Broadcast("new1"), w.Broadcast("keep2"), w.Broadcast("factor")
		one := w.Constant(w.table, "1")
		w.each("w", func(l *isa.Lanes) {
			g, m, v, x := l.Load(p[1]), l.Load(p[2]), l.Load(p[3]), l.Load(p[0])
			VMULPS(factor, g, g)
			change := w.Vec()
			VSUBPS(m, g, change)
			VFMADD231PS(change, new1, m) // m += (g − m)·(1−β1)
			l.Store(m, p[2])
			VMULPS(g, g, g)
			VMOVAPS(one, change)
			VSUBPS(keep2, change, change)
			VMULPS(change, g, g)
			VFMADD213PS(g, keep2, v) // v = v·β2 + g²·(1−β2)
			l.Store(v, p[3])
			VSQRTPS(v, v)
			VFMADD213PS(eps, root, v)
			VMULPS(step, m, m)
			VDIVPS(v, m, m)
			VFMSUB213PS(m, keep, x) // w·keep − m·step/denominator
			l.Store(x, p[0])
		})
	})
}
