package kernel

import (
	"math"

	"github.com/herd-lm/herd/core/kernel/vector"
)

// Adam holds the settings of one step of AdamW for one parameter.
type Adam struct {
	LR, Beta1, Beta2, Eps, Decay float32
	Correct1, Correct2           float32 // 1 − βᵗ at step t = 1, 2, ...
	Scale                        float32 // factor on the gradient: normalisation times clipping
}

// AdamW updates the weights w and the moments m and v from the gradient g, as
// torch.optim.AdamW does: w shrinks by LR·Decay first (Loshchilov and Hutter,
// arXiv 1711.05101), then w -= LR·(m/Correct1) / (√(v/Correct2) + Eps).
func AdamW(w, g, m, v []float32, a Adam) {
	step := vector.Adam{
		Keep: 1 - a.LR*a.Decay, Step: a.LR / a.Correct1, Root: float32(1 / math.Sqrt(float64(a.Correct2))), Eps: a.Eps,
		New1: 1 - a.Beta1, Keep2: a.Beta2, Factor: a.Scale,
	}
	parallelRows(len(w), 1, func(lo, hi int) { step.Update(w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi]) })
}
