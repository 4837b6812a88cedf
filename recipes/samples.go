package recipes

import (
	"context"
	"path/filepath"

	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/eval/stat"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
	"github.com/herd-lm/herd/rejection"
)

// measureSampling measures the samples that a stage has written.
func measureSampling(ctx context.Context, e *engine, s Stage) (eval.Measures, []eval.Answer, error) {
	m, err := e.measureSamples(ctx, filepath.Join(s.out(), rejection.SamplesFile))
	return m, nil, err
}

// measureSamples measures what rejection sampling drew: the rewards, and how often a sample is
// correct and how often the one that scored best is, where that is known.
func (e *engine) measureSamples(ctx context.Context, path string) (eval.Measures, error) {
	check, err := e.Evaluate.judge()
	if err != nil {
		return nil, err
	}
	if check == nil {
		check = rule.ByPrompt()
	}
	var all, best, right, picked []float64
	for row, err := range table.Scan[table.Sample](path) {
		if err != nil {
			return nil, err
		}
		known, err := correctness(ctx, check, row)
		if err != nil {
			return nil, err
		}
		chosen := rejection.Best(row.Candidates)
		best = append(best, *row.Candidates[chosen].Score)
		for i, c := range row.Candidates {
			all = append(all, *c.Score)
			if known[i] == judge.Unknown {
				continue
			}
			correct := 0.0
			if known[i] == judge.Correct {
				correct = 1
			}
			right = append(right, correct)
			if i == chosen {
				picked = append(picked, correct)
			}
		}
	}
	m := eval.Measures{"reward": stat.Mean(all), "reward/best": stat.Mean(best)}
	if len(right) > 0 {
		m["sample_accuracy"], m["picked_accuracy"] = share(right), share(picked)
	}
	return m, nil
}

// correctness returns what the stage's own rule said of the candidates of a row, else what check
// says, if it can judge answers to the prompt.
func correctness(ctx context.Context, check judge.Judge, row table.Sample) ([]judge.Correctness, error) {
	known := make([]judge.Correctness, len(row.Candidates))
	open := false
	for i, c := range row.Candidates {
		if c.Correct != nil {
			known[i] = judge.CorrectIf(*c.Correct)
		} else {
			open = true
		}
	}
	item := judge.Sample(row)
	if !open || check.Accepts(item.Question) != nil {
		return known, nil
	}
	verdicts, err := check.Verdicts(ctx, []judge.Item{item})
	if err != nil {
		return nil, err
	}
	for i, v := range verdicts[0] {
		if row.Candidates[i].Correct == nil {
			known[i] = v.Correct
		}
	}
	return known, nil
}

// share is the share of ones among zeros and ones.
func share(x []float64) stat.Measure { return stat.Proportion(stat.Sum(x), len(x)) }
