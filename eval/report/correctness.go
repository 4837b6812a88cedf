package report

import (
	"math"

	"github.com/herd-lm/herd/eval/stat"
)

// fewIDs is the number of prompts that the report names beside a count.
const fewIDs = 8

// correctness summarises the checker's verdicts. It returns nil if there are none.
func (s *survey) correctness() *Correctness {
	c := &Correctness{Share: share(s.perSample(correct))}
	if c.Share == nil {
		return nil
	}
	for i, verdicts := range values(s.prompts, correct) {
		c.Judged += len(verdicts)
		c.Unjudged += len(s.prompts[i].draws) - len(verdicts)
		switch right := stat.Sum(verdicts); {
		case len(verdicts) == 0:
		case right == 0:
			c.Never.add(s.prompts[i].id)
		case right == float64(len(verdicts)):
			c.Always.add(s.prompts[i].id)
		default:
			c.Between++
		}
	}
	c.Agreement = s.mean(s.perPrompt(agreement))
	return c
}

func (s *Solved) add(id string) {
	s.Prompts++
	if len(s.IDs) < fewIDs {
		s.IDs = append(s.IDs, id)
	}
}

// agreement returns the area under the ROC curve of a prompt's rewards. It returns NaN if all
// responses are correct or all are wrong.
func agreement(p prompt) float64 {
	var right, wrong []float64
	for _, d := range judged(p.draws, reward, correct) {
		if d.correct == 1 {
			right = append(right, d.reward)
		} else {
			wrong = append(wrong, d.reward)
		}
	}
	if len(right) == 0 || len(wrong) == 0 {
		return math.NaN()
	}
	var won float64
	for _, r := range right {
		for _, w := range wrong {
			won += stat.Win(r - w)
		}
	}
	return won / float64(len(right)*len(wrong))
}
