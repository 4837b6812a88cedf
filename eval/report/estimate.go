package report

import (
	"math"
	"strconv"

	"github.com/herd-lm/herd/eval/stat"
)

const (
	resamples  = 2000 // resamples for each interval of a report
	mostGroups = 2048 // maximum number of groups of prompts that are resampled together
)

// bootstrap estimates means and ratios over prompts.
type bootstrap struct{ *stat.Bootstrap }

func newBootstrap(seed uint64, prompts int) *bootstrap {
	return &bootstrap{stat.NewBootstrap(seed, prompts, resamples, mostGroups)}
}

// ratio returns the sum of above divided by the sum of below; both are [prompts]. It returns nil if
// below is 0 everywhere.
func (b *bootstrap) ratio(above, below []float64) *Estimate {
	m := b.Ratio(above, below)
	if m.N == 0 {
		return nil
	}
	e := &Estimate{Value: rounded(m.Value), Prompts: m.N}
	if m.N > 1 {
		low, high := rounded(m.Low), rounded(m.High)
		e.Low, e.High = &low, &high
	}
	return e
}

// mean returns the mean of the known values; values is [prompts], NaN if unknown.
func (b *bootstrap) mean(values []float64) *Estimate {
	above, below := make([]float64, len(values)), make([]float64, len(values))
	for i, v := range values {
		if known(v) {
			above[i], below[i] = v, 1
		}
	}
	return b.ratio(above, below)
}

// share gives a share that is 0 or 1 for all prompts Wilson's interval: all bootstrap resamples
// of it are equal, which would give an interval of width 0.
func share(e *Estimate) *Estimate {
	if e == nil || e.Value != 0 && e.Value != 1 {
		return e
	}
	low, high := 0.0, rounded(stat.Proportion(0, e.Prompts).High)
	if e.Value == 1 {
		low, high = rounded(1-high), 1
	}
	e.Low, e.High = &low, &high
	return e
}

// rounded keeps eight digits. Later digits differ between processors, and the report must not.
func rounded(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 8, 64), 64)
	if err != nil || y == 0 {
		return 0 // no -0
	}
	return y
}

func known(x float64) bool { return !math.IsNaN(x) }
