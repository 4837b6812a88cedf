package main

import (
	"fmt"

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

// rows writes the products of attention with cached keys and values, whose rows are stride
// elements apart. They process several rows or columns at a time, because each sum is a chain of
// additions that wait for one another.
func (w writer) rows() {
	w.routine("DotRows", "out, q, k []float32, stride int", "", "computes out[j] = Σ q·k[j·stride:].", func() {
		out, n, q, k, width := base("out"), length("out"), base("q"), base("k"), length("q")
		stride := strideBytes()
		w.dots(4, out, n, q, k, width, stride)
		w.dots(1, out, n, q, k, width, stride)
	})
	w.routine("AddRows", "o, p, v []float32, stride int", "", "computes o += Σ p[j]·v[j·stride:].", func() {
		o, p, v, n, width := base("o"), base("p"), base("v"), length("p"), length("o")
		stride := strideBytes()
		TESTQ(n, n)
		JE(LabelRef("end"))
		w.columns(4, o, p, v, n, width, stride)
		w.columns(2, o, p, v, n, width, stride)
		w.Each(w.table, "loop", width, func(l *isa.Lanes) {
			sum := l.Load(o)
			w.down(map[bool]string{false: "row", true: "raggedrow"}[l.Ragged], p, v, n, stride, func(weight reg.VecVirtual, line reg.Register) {
				VFMADD231PS(l.Load(line), weight, sum)
			})
			l.Store(sum, o)
		})
		Label("end")
	})
}

func strideBytes() reg.Register {
	stride := Load(Param("stride"), GP64())
	SHLQ(U8(2), stride)
	return stride
}

// dots multiplies q by the n rows of k, as long as as many are left as it processes at a time, and
// advances out, n and k.
func (w writer) dots(rows int, out, n, q, k, width, stride reg.Register) {
	label := fmt.Sprint("rows", rows)
	Label(label)
	CMPQ(n, U8(rows))
	JL(LabelRef(label + "end"))
	lines, sums := []reg.Register{k}, []reg.VecVirtual{w.Zeroed()}
	for r := 1; r < rows; r++ {
		lines, sums = append(lines, GP64()), append(sums, w.Zeroed())
		LEAQ(Mem{Base: lines[r-1], Index: stride, Scale: 1}, lines[r])
	}
	w.Each(w.table, label+"loop", width, func(l *isa.Lanes) {
		x := l.Load(q)
		for r, line := range lines {
			VFMADD231PS(x, l.Load(line), sums[r])
		}
	})
	for r, sum := range sums {
		VMOVSS(w.Fold(sum, func(ops ...Op) { VADDPS(ops...) }), Mem{Base: out, Disp: 4 * r})
	}
	LEAQ(Mem{Base: lines[rows-1], Index: stride, Scale: 1}, k)
	ADDQ(U8(4*rows), out)
	SUBQ(U8(rows), n)
	JMP(LabelRef(label))
	Label(label + "end")
}

// columns adds to the given number of vectors of o at a time, as long as that many are left of its
// width, and advances o, v and width.
func (w writer) columns(vectors int, o, p, v, n, width, stride reg.Register) {
	label := fmt.Sprint("columns", vectors)
	at := func(base reg.Register, i int) Mem { return Mem{Base: base, Disp: i * w.Bytes} }
	Label(label)
	CMPQ(width, U8(vectors*w.Lanes))
	JL(LabelRef(label + "end"))
	var sums []reg.VecVirtual
	for i := range vectors {
		sums = append(sums, w.Vec())
		VMOVUPS(at(o, i), sums[i])
	}
	w.down(label+"row", p, v, n, stride, func(weight reg.VecVirtual, line reg.Register) {
		for i, sum := range sums {
			VFMADD231PS(at(line, i), weight, sum)
		}
	})
	for i, sum := range sums {
		VMOVUPS(sum, at(o, i))
	}
	ADDQ(U32(vectors*w.Bytes), o)
	ADDQ(U32(vectors*w.Bytes), v)
	SUBQ(U8(vectors*w.Lanes), width)
	JMP(LabelRef(label))
	Label(label + "end")
}

// down writes a loop over the n rows of v and their weights p.
func (w writer) down(label string, p, v, n, stride reg.Register, body func(weight reg.VecVirtual, line reg.Register)) {
	line, at, left := GP64(), GP64(), GP64()
	MOVQ(v, line)
	MOVQ(p, at)
	MOVQ(n, left)
	Label(label)
	weight := w.Vec()
	VBROADCASTSS(Mem{Base: at}, weight)
	body(weight, line)
	ADDQ(stride, line)
	ADDQ(U8(4), at)
	DECQ(left)
	JNE(LabelRef(label))
}
