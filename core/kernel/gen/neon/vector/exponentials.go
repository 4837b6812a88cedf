package main

import . "github.com/herd-lm/herd/core/kernel/gen/neon"

// exponential holds the constants of package vector's Exp in registers. The algorithm is the
// same.
type exponential struct {
	*writer
	lowest, highest, log2e, round, ln2Hi, ln2Lo, one, halfExponent Vec
	p                                                              []Vec
}

func (w *writer) exponential() exponential {
	e := exponential{
		writer: w,
		lowest: w.constant(-86.643394), highest: w.constant(89),
		log2e: w.constant(1.44269504088896341), round: w.constant(3 << 22),
		ln2Hi: w.constant(0.693359375), ln2Lo: w.constant(-2.12194440e-4),
		one: w.constant(1), halfExponent: w.bits(126 << 23),
	}
	for _, c := range []float32{1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1} {
		e.p = append(e.p, w.constant(c))
	}
	return e
}

// of returns the exponential of x, and 0 if x is below the lowest. It overwrites x.
func (e exponential) of(x Vec) Vec {
	tooLow, power, n := e.Vec(), e.Vec(), e.Vec()
	e.Greater(tooLow, e.lowest, x)
	e.Least(x, x, e.highest)
	e.Copy(power, e.round)
	e.MultiplyAdd(power, x, e.log2e) // its low bits are n
	e.Subtract(n, power, e.round)
	e.MultiplySubtract(x, n, e.ln2Hi)
	e.MultiplySubtract(x, n, e.ln2Lo) // x is r now
	p, next := e.Vec(), n
	e.Copy(p, e.p[0])
	for _, c := range e.p[1:] {
		e.Copy(next, c)
		e.MultiplyAdd(next, p, x)
		p, next = next, p
	}
	e.Multiply(p, p, x)
	e.MultiplyAdd(x, p, x) // p·r² + r
	e.Add(x, x, e.one)
	e.Op("VSHL", Imm(23), power, power)
	e.Op("VADD", e.halfExponent, power, power) // 2ⁿ⁻¹, because n may be 128
	e.Add(x, x, x)
	e.Multiply(x, x, power)
	e.Without(x, x, tooLow)
	return x
}

// sigmoid returns 1/(1+exp(−x)).
func (e exponential) sigmoid(x Vec) Vec {
	minus := e.Vec()
	e.Zero(minus)
	e.Subtract(minus, minus, x)
	s := e.of(minus)
	e.Add(s, s, e.one)
	e.Divide(s, e.one, s)
	return s
}

func (w *writer) exponentials() {
	w.routine("ExpSum", "x []float32, shift float32", "float32", "computes x = exp(x − shift) and returns its sum.", func() {
		p, n, shift, sums, exp := w.bases("x"), w.length("x"), w.broadcast("shift"), w.zeros(1), w.exponential()
		w.each("loop", n, p, 1, func(l lanes) {
			v := l.load(p[0])
			w.Subtract(v, v, shift)
			v = exp.of(v)
			l.store(v, p[0])
			if l.single { // the other lanes are no elements: moving one lane clears them
				w.Op("FMOVS", v.F(), v.F())
			}
			w.Add(sums[0], sums[0], v)
		})
		w.result(w.sum(sums))
	})
	w.routine("Gate", "y, g, u []float32", "", "computes y = g·σ(g)·u.", func() {
		p, n, exp := w.bases("y", "g", "u"), w.length("y"), w.exponential()
		w.each("loop", n, p, 1, func(l lanes) {
			g := l.load(p[1])
			s := exp.sigmoid(g)
			w.Multiply(s, s, g)
			w.Multiply(s, s, l.load(p[2]))
			l.store(s, p[0])
		})
	})
	w.routine("GateGrad", "dg, du, dy, g, u []float32", "", "is the gradient of Gate.", func() {
		p, n, exp := w.bases("dg", "du", "dy", "g", "u"), w.length("dg"), w.exponential()
		w.each("loop", n, p, 1, func(l lanes) {
			dy, g := l.load(p[2]), l.load(p[3])
			s := exp.sigmoid(g)
			slope, rest := w.Vec(), w.Vec()
			w.Subtract(rest, exp.one, s)
			w.Copy(slope, exp.one)
			w.MultiplyAdd(slope, g, rest) // 1 + g·(1 − σ)
			w.Multiply(s, s, dy)
			w.Multiply(slope, slope, s)
			w.Multiply(slope, slope, l.load(p[4]))
			w.Multiply(g, g, s)
			l.store(slope, p[0])
			l.store(g, p[1])
		})
	})
}
