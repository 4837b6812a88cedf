package report

import (
	"cmp"
	"math"
	"slices"
)

const (
	fewestRanked   = 3   // minimum number of samples for a rank correlation
	worthALook     = 0.1 // smallest mean rank correlation that is worth a finding
	mostLengthBins = 10
)

// lengthBias returns nil if there are neither scores nor verdicts.
func (s *survey) lengthBias() *LengthBias {
	l := &LengthBias{All: s.perSample(s.unit.of)}
	if len(slices.Concat(values(s.prompts, score)...)) > 0 {
		l.withScore(s)
	}
	if l.Right, l.Wrong = s.lengthWhere(1), s.lengthWhere(0); l.Right != nil || l.Wrong != nil {
		l.Correct = s.mean(s.perPrompt(func(p prompt) float64 { return spearman(p.draws, s.unit.of, correct) }))
	} else if l.Winners == nil && l.Score == nil && len(l.Bins) == 0 {
		return nil
	}
	l.WorthALook, l.CorrectWorthALook = l.Score.beyond(worthALook), l.Correct.beyond(worthALook)
	return l
}

func (l *LengthBias) withScore(s *survey) {
	correlations := s.perPrompt(func(p prompt) float64 { return spearman(p.draws, s.unit.of, score) })
	for _, c := range correlations {
		if !known(c) {
			l.LeftOut++
		}
	}
	l.Score = s.mean(correlations)
	l.Winners = s.mean(s.perPrompt(func(p prompt) float64 { _, best := s.extremes(p); return best }))
	l.Losers = s.mean(s.perPrompt(func(p prompt) float64 { worst, _ := s.extremes(p); return worst }))
	l.Bins = s.lengthBins()
}

// beyond reports whether an estimate is at least least away from 0 and its interval excludes 0.
func (e *Estimate) beyond(least float64) bool {
	return e != nil && e.Low != nil && math.Abs(e.Value) >= least && (*e.Low > 0 || *e.High < 0)
}

// lengthWhere returns the mean length of the samples with the given correctness.
func (s *survey) lengthWhere(verdict float64) *Estimate {
	return s.perSample(func(d draw) float64 {
		if d.correct == verdict {
			return s.unit.of(d)
		}
		return math.NaN()
	})
}

// extremes returns the mean length of the samples with the lowest and with the highest score, or
// NaN if all scores are equal.
func (s *survey) extremes(p prompt) (lowest, highest float64) {
	draws := judged(p.draws, score, score)
	slices.SortFunc(draws, func(a, b draw) int { return cmp.Compare(a.score, b.score) })
	var means []float64
	for from, to := range ties(draws, score) {
		means = append(means, meanOf(draws[from:to], s.unit.of))
	}
	if len(means) < 2 {
		return math.NaN(), math.NaN()
	}
	return means[0], means[len(means)-1]
}

func meanOf(draws []draw, of func(draw) float64) float64 {
	var total float64
	for _, d := range draws {
		total += of(d)
	}
	return total / float64(len(draws))
}

// spearman returns the rank correlation of two numbers of each sample, with mean ranks for ties. It
// is NaN for fewer than three samples, and if one of the numbers is constant.
func spearman(draws []draw, x, y func(draw) float64) float64 {
	draws = judged(draws, x, y)
	if len(draws) < fewestRanked {
		return math.NaN()
	}
	a, b := ranks(draws, x), ranks(draws, y)
	middle := float64(len(draws)+1) / 2
	var xy, xx, yy float64
	for i := range a {
		xy += (a[i] - middle) * (b[i] - middle)
		xx += (a[i] - middle) * (a[i] - middle)
		yy += (b[i] - middle) * (b[i] - middle)
	}
	return xy / math.Sqrt(xx*yy) // 0/0 is NaN
}

// ranks returns the rank of each sample, from 1; equal numbers share their mean rank.
func ranks(draws []draw, of func(draw) float64) []float64 {
	order := make([]int, len(draws))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(of(draws[i]), of(draws[j])) })
	sorted := make([]draw, len(draws))
	for i, at := range order {
		sorted[i] = draws[at]
	}
	all := make([]float64, len(draws))
	for from, to := range ties(sorted, of) {
		for _, at := range order[from:to] {
			all[at] = float64(from+to+1) / 2
		}
	}
	return all
}
