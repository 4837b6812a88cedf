package train

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/train/optim"
)

// TestWarmUp: a warm-up of 3 steps reaches the learning rate at step 3, and no later. A run that
// is shorter warms up to its end.
func TestWarmUp(t *testing.T) {
	s := Defaults()
	s.Schedule, s.LearningRate, s.FinalLearningRate, s.WarmupSteps = optim.Constant, 0.6, 0, 3
	for _, c := range []struct {
		steps int
		want  []float64
	}{{10, []float64{0.2, 0.4, 0.6, 0.6}}, {2, []float64{0.3, 0.6}}} {
		for i, want := range c.want {
			if got := s.schedule(c.steps).LR(i + 1); math.Abs(got-want) > 1e-12 {
				t.Errorf("of %d steps, step %d has the rate %g, want %g", c.steps, i+1, got, want)
			}
		}
	}
}
