// Package optim updates weights: AdamW over one flat parameter vector, clipping by global norm,
// and learning-rate schedules. It knows no model and no training loop.
//
// Start with NewAdamW and Schedule.
package optim

import (
	"errors"
	"fmt"
	"math"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
)

// ErrNonFinite reports that a gradient holds NaN or infinity. The step changed no weight and
// no moment.
var ErrNonFinite = errors.New("gradient is not finite")

// Range is the range [Start, End) of the parameter vector.
type Range struct{ Start, End int }

// AdamW is the optimiser of Loshchilov and Hutter (arXiv 1711.05101, algorithm 2), as
// torch.optim.AdamW computes it. M, V and Steps are its whole state: to resume bit-exactly,
// save and restore them.
type AdamW struct {
	Beta1, Beta2 float64   // decay rates of the moments, in [0, 1)
	Eps          float64   // added to the root of the second moment
	Decay        float64   // decoupled weight decay, per unit of learning rate
	M, V         []float32 // [n] first and second moment of each parameter
	Steps        int       // updates done so far
}

// NewAdamW returns an optimiser for n parameters with the settings of the Llama models
// (arXiv 2302.13971, section 2.3) and torch's Eps.
func NewAdamW(n int) *AdamW {
	return &AdamW{
		Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Decay: 0.1,
		M: memory.Floats(n), V: memory.Floats(n),
	}
}

// Validate returns an error for the first invalid setting.
func (a *AdamW) Validate() error {
	switch {
	case !(a.Beta1 >= 0 && float32(a.Beta1) < 1):
		return fmt.Errorf("adamw: beta1 is %g, want at least 0 and less than 1", a.Beta1)
	case !(a.Beta2 >= 0 && float32(a.Beta2) < 1):
		return fmt.Errorf("adamw: beta2 is %g, want at least 0 and less than 1", a.Beta2)
	case !(float32(a.Eps) > 0) || math.IsInf(a.Eps, 0):
		return fmt.Errorf("adamw: epsilon is %g, want a positive number", a.Eps)
	case !(a.Decay >= 0) || math.IsInf(a.Decay, 0):
		return fmt.Errorf("adamw: weight decay is %g, want 0 or a positive number", a.Decay)
	case len(a.M) != len(a.V):
		return fmt.Errorf("adamw: %d first and %d second moments, want equally many", len(a.M), len(a.V))
	case a.Steps < 0:
		return fmt.Errorf("adamw: %d steps done, want 0 or more", a.Steps)
	}
	return nil
}

// Step updates the weights w [n] with their gradients g [n] at learning rate lr. Weight decay
// applies to the ranges of decay only: the matrices, not the norms. The ranges are in order
// and do not overlap.
//
// Step scales a gradient whose Euclidean norm is greater than clip down to that norm, as
// torch.nn.utils.clip_grad_norm_ does; clip 0 turns this off. It returns the norm before
// clipping and whether it clipped the gradient. If the norm is not finite, the error is
// ErrNonFinite and nothing has changed.
func (a *AdamW) Step(w, g []float32, decay []Range, lr, clip float64) (norm float64, clipped bool, err error) {
	if err := a.check(w, g, decay, lr, clip); err != nil {
		return 0, false, err
	}
	norm = math.Sqrt(kernel.SumSquares(g))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, false, fmt.Errorf("adamw: step %d: %w: norm %g, first at parameter %d", a.Steps+1, ErrNonFinite, norm, firstNonFinite(g))
	}
	scale := clipScale(norm, clip)
	a.Steps++
	a.update(w, g, decay, a.settings(lr, scale))
	return norm, scale < 1, nil
}

func (a *AdamW) check(w, g []float32, decay []Range, lr, clip float64) error {
	if err := a.Validate(); err != nil {
		return err
	}
	n := len(a.M)
	if len(w) != n || len(g) != n {
		return fmt.Errorf("adamw: %d weights and %d gradients for an optimiser of %d parameters", len(w), len(g), n)
	}
	if !(lr >= 0) || math.IsInf(lr, 0) {
		return fmt.Errorf("adamw: learning rate is %g, want 0 or a positive number", lr)
	}
	if !(clip >= 0) {
		return fmt.Errorf("adamw: clipping norm is %g, want a positive number, or 0 for none", clip)
	}
	end := 0
	for i, r := range decay {
		if r.Start < end || r.End < r.Start || r.End > n {
			return fmt.Errorf("adamw: decay range %d is [%d,%d), want it within [%d,%d)", i, r.Start, r.End, end, n)
		}
		end = r.End
	}
	return nil
}

// clipScale returns the factor for a gradient with the norm. The 1e-6 is torch's guard against
// a norm of zero.
func clipScale(norm, clip float64) float64 {
	if clip == 0 {
		return 1
	}
	return min(1, clip/(norm+1e-6))
}

// settings returns the kernel's arguments for the current step. The kernel accumulates the
// moments with betas rounded to float32, so the corrections must use the rounded betas too:
// for 0.999, rounding changes 1-beta by 1.3e-5.
func (a *AdamW) settings(lr, scale float64) kernel.Adam {
	beta1, beta2 := float32(a.Beta1), float32(a.Beta2)
	t := float64(a.Steps)
	return kernel.Adam{
		LR: float32(lr), Beta1: beta1, Beta2: beta2, Eps: float32(a.Eps), Decay: float32(a.Decay),
		Correct1: float32(1 - math.Pow(float64(beta1), t)),
		Correct2: float32(1 - math.Pow(float64(beta2), t)),
		Scale:    float32(scale),
	}
}

// update applies the kernel to the decay ranges and, without decay, to the gaps between them.
func (a *AdamW) update(w, g []float32, decay []Range, with kernel.Adam) {
	without := with
	without.Decay = 0
	run := func(start, end int, settings kernel.Adam) {
		if start < end {
			kernel.AdamW(w[start:end], g[start:end], a.M[start:end], a.V[start:end], settings)
		}
	}
	end := 0
	for _, r := range decay {
		run(end, r.Start, without)
		run(r.Start, r.End, with)
		end = r.End
	}
	run(end, len(w), without)
}

// firstNonFinite returns the index of the first NaN or infinity, or -1.
func firstNonFinite(x []float32) int {
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}
