package kernel

// SwiGLU computes y[n,f] = silu(gate)·up for gu[n,2f] = gate|up, where
// silu(z) = z·σ(z) (Shazeer, arXiv 2002.05202).
func SwiGLU(y, gu []float32, n, f int) {
	parallelRows(n, 3*f, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := gu[2*i*f:][:2*f]
			gate(y[i*f:][:f], row[:f], row[f:])
		}
	})
}

func gate(y, g, u []float32) {
	g, u = g[:len(y)], u[:len(y)]
	for j := range y {
		y[j] = g[j] / (1 + exp(-g[j])) * u[j]
	}
}

// SwiGLUGrad computes dgu[n,2f] from dy[n,f] and gu[n,2f]. dgu may be gu.
func SwiGLUGrad(dgu, dy, gu []float32, n, f int) {
	parallelRows(n, 5*f, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row, grad := gu[2*i*f:][:2*f], dgu[2*i*f:][:2*f]
			gateGrad(grad[:f], grad[f:], dy[i*f:][:f], row[:f], row[f:])
		}
	})
}

// gateGrad uses silu'(z) = σ(z)·(1 + z·(1 − σ(z))).
func gateGrad(dg, du, dy, g, u []float32) {
	du, dy, g, u = du[:len(dg)], dy[:len(dg)], g[:len(dg)], u[:len(dg)]
	for j := range dg {
		s := 1 / (1 + exp(-g[j]))
		dg[j], du[j] = dy[j]*u[j]*s*(1+g[j]*(1-s)), dy[j]*g[j]*s
	}
}
