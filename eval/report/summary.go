package report

import (
	"math"
	"slices"

	"github.com/herd-lm/herd/eval/stat"
)

// Report returns the report on the rows so far. You can add more rows afterwards.
func (b *Builder) Report() *Report {
	prompts := b.sorted()
	s := &survey{prompts, newBootstrap(b.options.Seed, len(prompts)), lengthOf(prompts)}
	r := &Report{
		Title: shorten(b.options.Title, mostID), Prompts: len(prompts), Examples: b.shelf.examples(),
		Method: Method{"percentile bootstrap over prompts", stat.Level, resamples, s.Groups(), b.options.Seed},
	}
	s.count(r)
	r.Length = s.length()
	r.Score = s.numbers(score)
	if differ(prompts) {
		r.Reward = s.numbers(reward)
	}
	r.Correct = s.correctness()
	s.curves(r)
	r.LengthBias = s.lengthBias()
	return r
}

// survey is the input for the parts of a report.
type survey struct {
	prompts []prompt
	*bootstrap
	unit unit
}

// unit returns the unit of lengths: tokens or characters.
type unit struct {
	name string
	of   func(draw) float64
}

// lengthOf returns the length in tokens, or in characters if any text has no token ids.
func lengthOf(prompts []prompt) unit {
	for _, p := range prompts {
		for _, d := range p.draws {
			if d.unnumbered {
				return unit{"characters", func(d draw) float64 { return float64(d.characters) }}
			}
		}
	}
	return unit{"tokens", func(d draw) float64 { return float64(d.tokens) }}
}

// differ reports whether any reward differs from its score.
func differ(prompts []prompt) bool {
	for _, p := range prompts {
		for _, d := range p.draws {
			if known(d.reward) && d.reward != d.score {
				return true
			}
		}
	}
	return false
}

// perPrompt returns a number for each prompt.
func (s *survey) perPrompt(of func(prompt) float64) []float64 {
	all := make([]float64, len(s.prompts))
	for i, p := range s.prompts {
		all[i] = of(p)
	}
	return all
}

// perSample returns the mean over samples of the known values. Prompts are the unit of its
// interval.
func (s *survey) perSample(of func(draw) float64) *Estimate {
	above, below := make([]float64, len(s.prompts)), make([]float64, len(s.prompts))
	for i, known := range values(s.prompts, of) {
		above[i], below[i] = stat.Sum(known), float64(len(known))
	}
	return s.ratio(above, below)
}

func (s *survey) count(r *Report) {
	for i, p := range s.prompts {
		n := len(p.draws)
		r.Samples += n
		r.Missing += p.missing
		r.Most = max(r.Most, n)
		if i == 0 || n < r.Fewest {
			r.Fewest = n
		}
	}
	r.Distinct = s.mean(s.perPrompt(func(p prompt) float64 { return float64(p.distinct) }))
	r.CutOff = share(s.perSample(func(d draw) float64 {
		if d.cut {
			return 1
		}
		return 0
	}))
}

func (s *survey) length() Length {
	l := Length{Unit: s.unit.name, Mean: s.perSample(s.unit.of)}
	l.Distribution, _ = distribution(s.prompts, s.unit.of)
	return l
}

// distribution also returns the numbers, sorted.
func distribution(prompts []prompt, of func(draw) float64) (Distribution, []float64) {
	all := slices.Concat(values(prompts, of)...)
	if len(all) == 0 {
		return Distribution{}, nil
	}
	slices.Sort(all)
	at := func(q float64) float64 { return rounded(stat.Quantile(all, q)) }
	return Distribution{
		Count: len(all), Min: at(0), P10: at(0.1), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1),
	}, all
}

// numbers returns nil if no sample has a value.
func (s *survey) numbers(of func(draw) float64) *Numbers {
	d, all := distribution(s.prompts, of)
	if d.Count == 0 {
		return nil
	}
	n := &Numbers{Distribution: d, Mean: s.perSample(of), Histogram: histogram(s.prompts, of, all)}
	best := make([]float64, len(s.prompts))
	for i, values := range values(s.prompts, of) {
		n.Missing += len(s.prompts[i].draws) - len(values)
		best[i] = math.NaN()
		if len(values) > 0 {
			best[i] = slices.Max(values)
		}
		if len(values) > 1 && best[i] == slices.Min(values) {
			n.Level++
		}
	}
	n.Best = s.mean(best)
	return n
}

func (s *survey) curves(r *Report) {
	if r.Correct != nil {
		r.PassAtK = curve(s.bootstrap, ascending(values(s.prompts, correct)))
		for i := range r.PassAtK {
			share(&r.PassAtK[i].Estimate)
		}
	}
	if r.Score == nil {
		return
	}
	r.BestOfN = &BestOfN{Score: curve(s.bootstrap, ascending(values(s.prompts, score)))}
	r.BestOfN.Correct = curve(s.bootstrap, ranked(s.prompts, reward, correct))
	for i := range r.BestOfN.Correct {
		share(&r.BestOfN.Correct[i].Estimate)
	}
}
