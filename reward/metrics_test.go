package reward

import (
	"maps"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
)

// TestMetrics: chosen above rejected is right, and the margin says by how much. Pairs count their
// weights.
func TestMetrics(t *testing.T) {
	var m train.Meter
	b := &token.Batch{Pairs: []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}, {Chosen: 3, Rejected: 2, Weight: 0.5}, {Chosen: 2, Rejected: 2, Weight: 0.5}}}
	Metrics(b, &model.Result{Value: []float32{3, 1, 5, 4}}, &m)
	want := map[string]float64{"accuracy": (1*1 + 0*0.5 + 0.5*0.5) / 2, "margin": (2*1 - 1*0.5) / 2., "mean_reward": 13. / 4}
	if got := m.Means(); !maps.Equal(got, want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
}
