package kernel

import "github.com/herd-lm/herd/core/kernel/vector"

// SwiGLU computes y[n,f] = silu(gate)·up for gu[n,2f] = gate|up, where
// silu(z) = z·σ(z) (Shazeer, arXiv 2002.05202).
func SwiGLU(y, gu []float32, n, f int) {
	parallelRows(n, 3*f, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row := gu[2*i*f:][:2*f]
			vector.Gate(y[i*f:][:f], row[:f], row[f:])
		}
	})
}

// SwiGLUGrad computes dgu[n,2f] from dy[n,f] and gu[n,2f]. dgu may be gu.
func SwiGLUGrad(dgu, dy, gu []float32, n, f int) {
	parallelRows(n, 5*f, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			row, grad := gu[2*i*f:][:2*f], dgu[2*i*f:][:2*f]
			vector.GateGrad(grad[:f], grad[f:], dy[i*f:][:f], row[:f], row[f:])
		}
	})
}
