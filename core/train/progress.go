package train

import (
	"maps"
	"slices"
	"time"
)

// Progress reports one optimiser step.
type Progress struct {
	Stage        string             `json:"stage"`
	Step         int                `json:"step"` // 1 is the first
	Steps        int                `json:"steps"`
	Loss         float64            `json:"loss"`
	LR           float64            `json:"lr"`
	GradNorm     float64            `json:"grad_norm"` // before clipping
	Tokens       int64              `json:"tokens"`    // since the run began
	TokensPerS   float64            `json:"tokens_per_second"`
	Metrics      map[string]float64 `json:"metrics,omitempty"`
	Remaining    time.Duration      `json:"-"` // at the speed of this session
	Checkpointed bool               `json:"-"` // a checkpoint was written after the step
}

// Meter averages the metrics of a step over its micro-batches.
type Meter struct{ sum, weight map[string]float64 }

// Add adds a mean over some rows or pairs, with their weight.
func (m *Meter) Add(name string, value, weight float64) {
	if m.sum == nil {
		m.sum, m.weight = make(map[string]float64), make(map[string]float64)
	}
	m.sum[name] += value * weight
	m.weight[name] += weight
}

// Means returns the weighted mean of each metric.
func (m *Meter) Means() map[string]float64 {
	if len(m.sum) == 0 {
		return nil
	}
	means := make(map[string]float64, len(m.sum))
	for _, name := range slices.Sorted(maps.Keys(m.sum)) {
		means[name] = m.sum[name] / m.weight[name]
	}
	return means
}
