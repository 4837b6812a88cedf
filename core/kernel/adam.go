package kernel

import "math"

// Adam is one step's setting of AdamW for one parameter.
type Adam struct {
	LR, Beta1, Beta2, Eps, Decay float32
	Correct1, Correct2           float32 // 1 − βᵗ at step t = 1, 2, ...
	Scale                        float32 // factor on the gradient: normalisation times clipping
}

// AdamW updates the weights w and the moments m and v from the gradient g, as
// torch.optim.AdamW does: w shrinks by LR·Decay first (Loshchilov and Hutter,
// arXiv 1711.05101), then w -= LR·(m/Correct1) / (√(v/Correct2) + Eps).
func AdamW(w, g, m, v []float32, a Adam) {
	parallelRows(len(w), 4, func(lo, hi int) {
		a.update(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi])
	})
}

func (a Adam) update(w, g, m, v []float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	keep := 1 - a.LR*a.Decay
	step := a.LR / a.Correct1
	root := float32(1 / math.Sqrt(float64(a.Correct2)))
	for i := range w {
		gi := g[i] * a.Scale
		m[i] += (gi - m[i]) * (1 - a.Beta1)
		v[i] = v[i]*a.Beta2 + gi*gi*(1-a.Beta2)
		denominator := float32(math.Sqrt(float64(v[i])))*root + a.Eps
		w[i] = w[i]*keep - step*m[i]/denominator
	}
}
