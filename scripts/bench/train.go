package main

import (
	"math/rand/v2"
	"strconv"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/optim"
	"github.com/herd-lm/herd/core/train/pack"
)

// The settings of torch_llama.py's optimiser that optim.NewAdamW does not set.
const (
	learningRate = 3e-4
	clipNorm     = 1
)

// train makes a step as core/train does: it lays out batches, runs forward and backward over
// each, clips and applies AdamW.
func train(s settings) (trial, error) {
	if err := s.precision.ForTraining(); err != nil {
		return trial{}, err
	}
	p := s.params(true)
	plan, err := s.plan(s.warmup + s.steps)
	if err != nil {
		return trial{}, err
	}
	program, err := model.Compile(p, plan.Capacity(1), model.CrossEntropy, model.RecomputeNone)
	if err != nil {
		return trial{}, err
	}
	optimizer := optim.NewAdamW(p.Count())
	step := func(i int) error {
		if err := gradient(program, plan.Step(i)); err != nil {
			return err
		}
		_, _, err := optimizer.Step(p.W, p.G, p.Matrices(), learningRate, clipNorm)
		return err
	}
	return trial{settings: s, mode: "train", tokens: s.tokens(), passes: 3, arena: program.Plan.ArenaBytes, step: step}, nil
}

// gradient computes the gradient of a step's mean loss over its micro-batches.
func gradient(program *model.Program, batches []*token.Batch) error {
	var norm float64
	for _, b := range batches {
		norm += b.Norm
	}
	for i, b := range batches {
		if _, err := program.Run(b, 1/norm, i > 0); err != nil {
			return err
		}
	}
	return nil
}

// score computes the log-probabilities of all tokens, as core/train/score does.
func score(s settings) (trial, error) {
	p := s.params(false)
	plan, err := s.plan(s.warmup + s.steps)
	if err != nil {
		return trial{}, err
	}
	program, err := model.CompileForward(p, plan.Capacity(1), model.LogProbs)
	if err != nil {
		return trial{}, err
	}
	step := func(i int) error {
		for _, b := range plan.Step(i) {
			if _, err := program.Run(b, 1, false); err != nil {
				return err
			}
		}
		return nil
	}
	return trial{settings: s, mode: "score", tokens: s.tokens(), passes: 1, arena: program.Plan.ArenaBytes, step: step}, nil
}

// plan returns n steps of random rows of Seq tokens each.
func (s settings) plan(n int) (*pack.Plan, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	rows := make([]pack.Example, n*s.Batch)
	for i := range rows {
		rows[i] = pack.Text(strconv.Itoa(i), s.random(rng, s.Seq+1))
	}
	return pack.NewPlan(rows, pack.Limits{Rows: s.Batch, Micro: s.micro}, 1)
}

func (s settings) random(rng *rand.Rand, n int) []token.ID {
	ids := make([]token.ID, n)
	for i := range ids {
		ids[i] = token.ID(rng.IntN(s.Vocab))
	}
	return ids
}
