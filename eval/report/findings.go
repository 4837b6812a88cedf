package report

import "fmt"

const (
	manyCutOff   = 0.05 // share of cut-off samples that is worth a finding
	fewDistinct  = 0.8  // share of different texts below which there is a finding
	mostOfTheWay = 0.9  // share of the gain of all samples over one
	nearlyAll    = 0.9  // share of the prompts that a point must cover
)

// Findings returns the most important facts of the report as sentences.
func (r *Report) Findings() []string {
	if r.Samples == 0 {
		return []string{"There are no samples."}
	}
	var all []string
	for _, say := range []func() string{
		r.sayCutOff, r.sayDistinct, r.sayMissing, r.sayPass, r.sayNever, r.sayGain, r.sayPicked, r.sayLevel, r.sayLength,
	} {
		if s := say(); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func (r *Report) sayCutOff() string {
	if r.CutOff.Value < manyCutOff {
		return ""
	}
	return fmt.Sprintf("%s of the samples were cut off by the token limit; a larger max_tokens would let more of them finish.", percent(r.CutOff.Value))
}

func (r *Report) sayDistinct() string {
	each := float64(r.Samples) / float64(r.Prompts)
	if r.Distinct.Value >= fewDistinct*each {
		return ""
	}
	return fmt.Sprintf("Of %s responses to a prompt, %s are different texts on average; a higher temperature would give more variety.", num(each), num(r.Distinct.Value))
}

func (r *Report) sayMissing() string {
	if r.Missing == 0 {
		return ""
	}
	return fmt.Sprintf("%d samples were drawn and are not in the table: this report covers only the samples in the table.", r.Missing)
}

func (r *Report) sayPass() string {
	if len(r.PassAtK) == 0 {
		return ""
	}
	points := broad(r.PassAtK)
	first, last := points[0], points[len(points)-1]
	s := "pass@1 is " + first.words(percent)
	if last.Samples > 1 {
		s += fmt.Sprintf(", pass@%d is %s", last.Samples, last.words(percent))
	}
	return s + "."
}

func (r *Report) sayNever() string {
	if r.Correct == nil || r.Correct.Never.Prompts == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d prompts were never answered correctly.", r.Correct.Never.Prompts, r.Prompts)
}

// sayGain states the number of samples after which more samples gain little.
func (r *Report) sayGain() string {
	if r.BestOfN == nil || r.ScoreIsVerdict() {
		return ""
	}
	points := broad(r.BestOfN.Score)
	first, last := points[0], points[len(points)-1]
	if last.Value <= first.Value {
		return ""
	}
	enough := first
	for _, p := range points {
		if p.Value-first.Value >= mostOfTheWay*(last.Value-first.Value) {
			enough = p
			break
		}
	}
	s := fmt.Sprintf("A sample scores %s on average and the best of %d scores %s", num(first.Value), last.Samples, num(last.Value))
	if enough.Samples < last.Samples {
		s += fmt.Sprintf("; %d samples already give %s of that gain", enough.Samples, roundPercent(mostOfTheWay))
	}
	return s + "."
}

// broad returns the points that cover nearly all prompts of the first point. Later points may cover
// a harder or easier subset of prompts.
func broad(points []Point) []Point {
	n := 0
	for n < len(points) && float64(points[n].Prompts) >= nearlyAll*float64(points[0].Prompts) {
		n++
	}
	return points[:n]
}

func (r *Report) sayPicked() string {
	if r.BestOfN == nil {
		return ""
	}
	points := broad(r.BestOfN.Correct)
	if len(points) < 2 {
		return ""
	}
	last := points[len(points)-1]
	return fmt.Sprintf("The best of %d by reward is correct for %s of the prompts, a random sample for %s.",
		last.Samples, last.words(percent), percent(points[0].Value))
}

func (r *Report) sayLevel() string {
	if r.Score == nil || r.Score.Level == 0 {
		return ""
	}
	return fmt.Sprintf("All samples of %d of %d prompts have the same score, so the score cannot choose between them.", r.Score.Level, r.Prompts)
}

func (r *Report) sayLength() string {
	l := r.LengthBias
	switch {
	case l == nil || l.Score == nil && l.Correct == nil:
		return ""
	case l.Score == nil || r.ScoreIsVerdict():
		return l.sayCorrect()
	case !l.WorthALook:
		return fmt.Sprintf("No clear length bias: the rank correlation of length and score within a prompt is %s.", l.Score.words(correlation))
	}
	s := fmt.Sprintf("Length bias: the %s of the responses to a prompt score higher; rank correlation %s.",
		longer(l.Score), l.Score.words(correlation))
	if l.Winners != nil {
		s += fmt.Sprintf(" The best have %s %s on average, the worst %s.", num(l.Winners.Value), r.Length.Unit, num(l.Losers.Value))
	}
	if l.Correct != nil && l.CorrectWorthALook && (l.Correct.Value > 0) == (l.Score.Value > 0) {
		return s + fmt.Sprintf(" They are also more often correct (%s), so the score may reward correctness rather than length.", l.Correct.words(correlation))
	}
	if l.Correct != nil {
		return s + fmt.Sprintf(" They are not more often correct (%s): the score may reward length itself.", l.Correct.words(correlation))
	}
	return s
}

func (l *LengthBias) sayCorrect() string {
	if !l.CorrectWorthALook {
		return ""
	}
	return fmt.Sprintf("The %s of the responses to a prompt are more often correct; rank correlation %s.", longer(l.Correct), l.Correct.words(correlation))
}

func longer(e *Estimate) string {
	if e.Value > 0 {
		return "longer"
	}
	return "shorter"
}

func correlation(x float64) string { return signed(fmt.Sprintf("%.2f", x)) }

// ScoreIsVerdict reports whether the score is equivalent to the rule's verdict.
func (r *Report) ScoreIsVerdict() bool {
	if r.BestOfN == nil || len(r.PassAtK) != len(r.BestOfN.Score) {
		return false
	}
	for i, p := range r.PassAtK {
		if s := r.BestOfN.Score[i]; s.Value != p.Value || s.Prompts != p.Prompts {
			return false
		}
	}
	return true
}
