package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

const (
	resamples  = 2000
	mostGroups = 2048
	level      = 0.95
)

// bootstrap has the resamples of the prompts that all intervals of a report are
// percentiles over (Efron 1979). Where there are very many prompts, groups of
// them are resampled in their place: their order is random, so the groups are
// as independent as the prompts, and the work stays bounded.
type bootstrap struct {
	prompts int
	counts  [][]uint8 // [resamples][groups]: how often each was drawn
}

func newBootstrap(seed uint64, prompts int) *bootstrap {
	groups := min(prompts, mostGroups)
	b := &bootstrap{prompts: prompts, counts: make([][]uint8, resamples)}
	rng := rand.New(rand.NewPCG(seed, 1979))
	for r := range b.counts {
		b.counts[r] = make([]uint8, groups)
		for range groups {
			b.counts[r][rng.IntN(groups)]++ // Poisson(1): 255 is never reached
		}
	}
	return b
}

// ratio returns the sum of above over the sum of below, which have a value for
// each prompt. A prompt whose below is 0 has no part in it. It is nil if there is
// nothing below.
func (b *bootstrap) ratio(above, below []float64) *Estimate {
	prompts := 0
	for _, n := range below {
		if n != 0 {
			prompts++
		}
	}
	if prompts == 0 {
		return nil
	}
	a, n := b.grouped(above), b.grouped(below)
	e := &Estimate{Value: rounded(sum(a) / sum(n)), Prompts: prompts}
	if prompts > 1 {
		e.Low, e.High = b.interval(a, n)
	}
	return e
}

func (b *bootstrap) interval(above, below []float64) (low, high *float64) {
	draws := make([]float64, 0, resamples)
	for _, counts := range b.counts {
		var a, n float64
		for g, c := range counts {
			a, n = a+float64(c)*above[g], n+float64(c)*below[g]
		}
		if n > 0 { // of a few prompts none may be drawn
			draws = append(draws, a/n)
		}
	}
	slices.Sort(draws)
	tail := len(draws) * 25 / 1000
	l, h := rounded(draws[tail]), rounded(draws[len(draws)-1-tail])
	return &l, &h
}

// mean returns the mean of the values that are known, one for each prompt.
func (b *bootstrap) mean(values []float64) *Estimate {
	above, below := make([]float64, len(values)), make([]float64, len(values))
	for i, v := range values {
		if known(v) {
			above[i], below[i] = v, 1
		}
	}
	return b.ratio(above, below)
}

// grouped sums the values of the prompts of each group.
func (b *bootstrap) grouped(values []float64) []float64 {
	sums := make([]float64, min(b.prompts, mostGroups))
	for i, v := range values {
		sums[i%len(sums)] += v
	}
	return sums
}

// share widens the interval of a share that is 0 or 1 at all prompts, which
// resampling cannot tell from certainty, to Wilson's (1927).
func share(e *Estimate) *Estimate {
	if e == nil || e.Value != 0 && e.Value != 1 {
		return e
	}
	const z2 = 1.959964 * 1.959964
	low, high := 0.0, rounded(z2/(float64(e.Prompts)+z2))
	if e.Value == 1 {
		low, high = rounded(1-high), 1
	}
	e.Low, e.High = &low, &high
	return e
}

func sum(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s
}

// rounded keeps eight digits: what lies behind them differs between processors,
// and a report should not.
func rounded(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 8, 64), 64)
	if err != nil || y == 0 {
		return 0 // no -0
	}
	return y
}

// quantile returns the value that a share q of sorted numbers do not exceed, by
// nearest rank.
func quantile(sorted []float64, q float64) float64 {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
