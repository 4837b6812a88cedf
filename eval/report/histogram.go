package report

import (
	"math"

	"github.com/herd-lm/herd/eval/stat"
)

const mostBins = 30

// histogram counts all samples, the correct ones, and the best one of each prompt. all has the same
// numbers, sorted.
func histogram(prompts []prompt, of func(draw) float64, all []float64) *Histogram {
	h := newHistogram(all)
	bins := len(h.All)
	h.Best = make([]int, bins)
	checked := make([]int, bins)
	any := false
	for _, p := range prompts {
		best := math.Inf(-1)
		for _, d := range p.draws {
			x := of(d)
			if !known(x) {
				continue
			}
			best = max(best, x)
			h.All[h.bin(x)]++
			if any = any || known(d.correct); d.correct == 1 {
				checked[h.bin(x)]++
			}
		}
		if !math.IsInf(best, -1) {
			h.Best[h.bin(best)]++
		}
	}
	if any {
		h.Correct = checked
	}
	return h
}

// newHistogram chooses round bins. A few outliers would leave a single bin for all other numbers,
// so it then covers only the range between the quantiles.
func newHistogram(sorted []float64) *Histogram {
	low, high := sorted[0], sorted[len(sorted)-1]
	if from, to := stat.Quantile(sorted, 0.005), stat.Quantile(sorted, 0.995); to > from && high-low > 3*(to-from) {
		low, high = from, to
	}
	width := roundStep((high - low) / mostBins)
	if !(width > 0) {
		return &Histogram{Low: low, All: make([]int, 1)}
	}
	h := &Histogram{Low: math.Floor(low/width) * width, Width: width}
	h.All = make([]int, min(int((high-h.Low)/width)+1, 2*mostBins))
	for _, x := range sorted {
		if x < h.Low || x > h.Low+h.Width*float64(len(h.All)) {
			h.Clipped++
		}
	}
	return h
}

// bin returns the index of the bin of x.
func (h *Histogram) bin(x float64) int {
	if h.Width == 0 {
		return 0
	}
	at := math.Floor((x-h.Low)/h.Width + 1e-9) // 0.6/0.2 is less than 3
	return int(min(max(at, 0), float64(len(h.All)-1)))
}

// roundStep returns the smallest of 1, 2, 2.5 and 5 times a power of ten that is at least x; 0 for
// 0.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= x {
			return rounded(m * power)
		}
	}
	return rounded(10 * power)
}
