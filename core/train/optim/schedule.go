package optim

import (
	"fmt"
	"math"
)

// Kinds of Schedule.
const (
	Cosine   = "cosine"   // half a cosine from Peak to Final (Llama 3 paper, section 3.4.1)
	Linear   = "linear"   // a straight line from Peak to Final (annealing, section 3.4.3)
	Constant = "constant" // Peak until the end
)

// Schedule defines the learning rate of every optimiser step: a linear warm-up from 0 to Peak
// over Warmup steps, then a decay that reaches Final at step Total. Later steps use Final.
//
// Steps count from 1. Step 1 of a warm-up of 3 uses Peak/3, so no step has a rate of 0, and the
// last step uses exactly Final.
//
// Hugging Face's schedulers count from 0 (transformers/optimization.py,
// get_cosine_schedule_with_warmup and its siblings): their first step changes nothing and their
// last one stops short of Final. ZeroFirst selects that convention.
type Schedule struct {
	Kind      string  // Cosine, Linear or Constant
	Warmup    int     // steps
	Total     int     // steps, the warm-up included
	Peak      float64 // learning rate at step Warmup
	Final     float64 // learning rate at step Total; must be 0 for Constant
	ZeroFirst bool    // count from 0, as Hugging Face does
}

// Validate returns an error for the first invalid setting.
func (s Schedule) Validate() error {
	switch {
	case s.Kind != Cosine && s.Kind != Linear && s.Kind != Constant:
		return fmt.Errorf("schedule: unknown kind %q, want %s, %s or %s", s.Kind, Cosine, Linear, Constant)
	case s.Total < 1:
		return fmt.Errorf("schedule: total is %d steps, want at least 1", s.Total)
	case s.Warmup < 0 || s.Warmup > s.Total:
		return fmt.Errorf("schedule: warm-up is %d steps, want 0 to the total of %d", s.Warmup, s.Total)
	case !(s.Peak > 0) || math.IsInf(s.Peak, 0):
		return fmt.Errorf("schedule: peak learning rate is %g, want a positive number", s.Peak)
	case s.Kind == Constant && s.Final != 0:
		return fmt.Errorf("schedule: final learning rate is %g, but a constant schedule has none: leave it out", s.Final)
	case !(s.Final >= 0 && s.Final <= s.Peak):
		return fmt.Errorf("schedule: final learning rate is %g, want 0 to the peak of %g", s.Final, s.Peak)
	}
	return nil
}

// LR returns the learning rate of a step; the first is step 1. The schedule must be valid.
func (s Schedule) LR(step int) float64 {
	if s.ZeroFirst {
		step--
	}
	if step < s.Warmup {
		return s.Peak * float64(max(step, 0)) / float64(s.Warmup)
	}
	rest := s.rest(step)
	return s.Peak*rest + s.Final*(1-rest) // exact at both ends
}

// rest returns the share of the decay that is left at a step after the warm-up: 1 at Peak, 0
// at Final.
func (s Schedule) rest(step int) float64 {
	switch x := s.progress(step); s.Kind {
	case Cosine:
		return 0.5 * (1 + math.Cos(math.Pi*x))
	case Linear:
		return 1 - x
	default:
		return 1
	}
}

// progress returns the share of the decay steps that are done at a step after the warm-up: 0
// at its end, 1 from Total on. A schedule with nothing but a warm-up ends at Peak.
func (s Schedule) progress(step int) float64 {
	done, all := step-s.Warmup, s.Total-s.Warmup
	switch {
	case done == 0:
		return 0
	case done >= all:
		return 1
	default:
		return float64(done) / float64(all)
	}
}
