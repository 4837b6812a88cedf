package vector

import "math"

var portable = routines{
	dot: dot, dot3: dot3, largest: largest, sumSquares: sumSquares, scale: scale, addScaled: addScaled,
	product: product, addProduct: addProduct, scoreGrad: scoreGrad, normGrad: normGrad, normGradAdd: normGradAdd, rotate: rotateByRun(rotate),
	expSum: expSum, gate: gate, gateGrad: gateGrad, adam: adam,
}

// The slices after the first are as long as the first. The repeated reslicing spares the loops
// their bounds checks.

func dot(a, b []float32) float32 {
	var s [8]float32
	b = b[:len(a)]
	for len(a) >= 8 && len(b) >= 8 {
		for l := range s {
			s[l] += a[l] * b[l]
		}
		a, b = a[8:], b[8:]
	}
	for l := range a {
		s[l] += a[l] * b[l]
	}
	return fold(s)
}

func dot3(a, b, c []float32) float32 {
	var s [8]float32
	b, c = b[:len(a)], c[:len(a)]
	for i := range a {
		s[i&7] += a[i] * b[i] * c[i]
	}
	return fold(s)
}

func fold(s [8]float32) float32 {
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func largest(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

func sumSquares(x []float32) float64 {
	var s [4]float64
	for i, v := range x {
		s[i&3] += float64(v) * float64(v)
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

func scale(y []float32, a float32) {
	for i := range y {
		y[i] *= a
	}
}

func addScaled(y []float32, a float32, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += a * x[i]
	}
}

func product(y, a, b []float32, r float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] * r * b[i]
	}
}

func addProduct(y, a, b []float32, r float32) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] += a[i] * r * b[i]
	}
}

func scoreGrad(ds, p []float32, delta float32) {
	p = p[:len(ds)]
	for i := range ds {
		ds[i] = p[i] * (ds[i] - delta)
	}
}

func normGrad(dx, dy, x, g []float32, r, c float32) {
	dy, x, g = dy[:len(dx)], x[:len(dx)], g[:len(dx)]
	for i := range dx {
		dx[i] = r * (dy[i]*g[i] - x[i]*c)
	}
}

func normGradAdd(dx, dy, x, g, add []float32, r, c float32) {
	dy, x, g, add = dy[:len(dx)], x[:len(dx)], g[:len(dx)], add[:len(dx)]
	for i := range dx {
		dx[i] = add[i] + r*(dy[i]*g[i]-x[i]*c)
	}
}

func rotate(a, b, cos, sin []float32, sign float32) {
	b, cos, sin = b[:len(a)], cos[:len(a)], sin[:len(a)]
	for i := range a {
		s := sign * sin[i]
		a[i], b[i] = a[i]*cos[i]-b[i]*s, b[i]*cos[i]+a[i]*s
	}
}

func expSum(x []float32, shift float32) float32 {
	var s [8]float32
	for i, v := range x {
		x[i] = Exp(v - shift)
		s[i&7] += x[i]
	}
	return fold(s)
}

func gate(y, g, u []float32) {
	g, u = g[:len(y)], u[:len(y)]
	for i := range y {
		y[i] = g[i] / (1 + Exp(-g[i])) * u[i]
	}
}

// gateGrad uses d/dz z·σ(z) = σ(z)·(1 + z·(1 − σ(z))).
func gateGrad(dg, du, dy, g, u []float32) {
	du, dy, g, u = du[:len(dg)], dy[:len(dg)], g[:len(dg)], u[:len(dg)]
	for i := range dg {
		s := 1 / (1 + Exp(-g[i]))
		dg[i], du[i] = dy[i]*u[i]*s*(1+g[i]*(1-s)), dy[i]*g[i]*s
	}
}

func adam(w, g, m, v []float32, keep, step, root, eps, new1, keep2, factor float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		gi := g[i] * factor
		m[i] += (gi - m[i]) * new1
		v[i] = v[i]*keep2 + gi*gi*(1-keep2)
		w[i] = w[i]*keep - step*m[i]/(float32(math.Sqrt(float64(v[i])))*root+eps)
	}
}
