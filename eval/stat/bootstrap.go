package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Level is the confidence level of all intervals.
const Level = 0.95

// ratioResamples is how many resamples Ratio draws. A recipe takes it once for each loss.
const ratioResamples = 1000

// year seeds the resamples: Efron published the bootstrap in 1979.
const year = 1979

// Ratio returns sum(a)/sum(b) with the percentile interval of a bootstrap over the pairs
// (Efron 1979).
func Ratio(a, b []float64) Measure {
	rng := rand.New(rand.NewPCG(year, uint64(len(a))))
	draws := make([]float64, ratioResamples)
	for i := range draws {
		var above, below float64
		for range a {
			k := rng.IntN(len(a))
			above, below = above+a[k], below+b[k]
		}
		draws[i] = above / below
	}
	m := Measure{Value: Sum(a) / Sum(b), Low: math.NaN(), High: math.NaN(), N: len(a)}
	if len(a) > 1 {
		m.Low, m.High = interval(draws)
	}
	return m
}

// interval returns the 2.5% and 97.5% percentiles. It sorts the draws.
func interval(draws []float64) (low, high float64) {
	slices.Sort(draws)
	tail := len(draws) * 25 / 1000
	return draws[tail], draws[len(draws)-1-tail]
}

// Bootstrap has the resamples of units, such as prompts, over which it takes the percentiles of
// many estimates (Efron 1979). If there are very many units, it resamples groups of them: if
// the units come in random order, the groups are as independent as the units, and the work
// stays bounded.
type Bootstrap struct {
	groups int
	counts [][]uint8 // [resamples][groups]: how often a resample drew each group
}

// NewBootstrap draws the resamples of so many units, in at most mostGroups groups.
func NewBootstrap(seed uint64, units, resamples, mostGroups int) *Bootstrap {
	b := &Bootstrap{groups: min(units, mostGroups), counts: make([][]uint8, resamples)}
	rng := rand.New(rand.NewPCG(seed, year))
	for r := range b.counts {
		b.counts[r] = make([]uint8, b.groups)
		for range b.groups {
			b.counts[r][rng.IntN(b.groups)]++ // Poisson(1): it never reaches 255
		}
	}
	return b
}

// Groups returns how many groups the units fall into.
func (b *Bootstrap) Groups() int { return b.groups }

// Ratio returns the sum of above over the sum of below, which have a value for each unit. A unit
// whose below is 0 takes no part; its above must be 0 too. N counts the units that take part.
func (b *Bootstrap) Ratio(above, below []float64) Measure {
	m := Measure{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	for _, n := range below {
		if n != 0 {
			m.N++
		}
	}
	if m.N == 0 {
		return m
	}
	a, n := b.grouped(above), b.grouped(below)
	m.Value = Sum(a) / Sum(n)
	if m.N > 1 {
		m.Low, m.High = interval(b.draws(a, n))
	}
	return m
}

// draws returns the ratio of each resample.
func (b *Bootstrap) draws(above, below []float64) []float64 {
	draws := make([]float64, 0, len(b.counts))
	for _, counts := range b.counts {
		var a, n float64
		for g, c := range counts {
			a, n = a+float64(c)*above[g], n+float64(c)*below[g]
		}
		if n > 0 { // a resample of a few units may have drawn none
			draws = append(draws, a/n)
		}
	}
	return draws
}

// grouped sums the values of the units of each group.
func (b *Bootstrap) grouped(values []float64) []float64 {
	sums := make([]float64, b.groups)
	for i, v := range values {
		sums[i%len(sums)] += v
	}
	return sums
}
