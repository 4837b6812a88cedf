package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/herd-lm/herd/core/kernel/gen/isa"
)

// copies writes a copy of rows that are too short to justify a call of memmove.
func (w writer) copies() {
	w.routine("CopyRows", "y, x []float32, n, width, strideY, strideX int", "", "computes y[i·strideY:][:width] = x[i·strideX:][:width] for i < n, at least 1.", func() {
		p, n, width := bases("y", "x"), Load(Param("n"), GP64()), Load(Param("width"), GP64())
		strides := []reg.Register{Load(Param("strideY"), GP64()), Load(Param("strideX"), GP64())}
		Label("row")
		w.Each(w.table, "loop", width, func(l *isa.Lanes) { l.Store(l.Load(p[1]), p[0]) })
		for i, stride := range strides {
			LEAQ(Mem{Base: p[i], Index: stride, Scale: 4}, p[i])
		}
		DECQ(n)
		JNE(LabelRef("row"))
	})
}

func strideBytes() reg.Register {
	stride := Load(Param("stride"), GP64())
	SHLQ(U8(2), stride)
	return stride
}
