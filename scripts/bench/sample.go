package main

import (
	"context"
	"math/rand/v2"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
)

// draw makes the engine answer a new random prompt Batch times in a step, at temperature 1.
// The time of the prompt counts, its tokens do not. With unshared each sample computes the
// prompt for itself. slots is the number of samples that advance together.
func draw(s settings) (trial, error) {
	s.Seq = s.prompt + s.generate
	w, err := model.Pack(s.params(false))
	if err != nil {
		return trial{}, err
	}
	engine := engine.New(w, nil, engine.Options{Slots: s.slots, Unshared: s.unshared})
	rng := rand.New(rand.NewPCG(1, 1))
	return trial{
		settings: s, mode: "sample", tokens: s.Batch * s.generate, passes: 1,
		step: func(i int) error { return generate(engine, s.samples(rng)) },
	}, nil
}

// samples returns the requests of a step: one for all samples, or one for each.
func (s settings) samples(rng *rand.Rand) []sample.Request {
	r := sample.Request{Prompt: s.random(rng, s.prompt), Settings: sample.Settings{Temperature: 1, MaxTokens: s.generate}}
	for range s.Batch {
		r.Seeds = append(r.Seeds, rng.Uint64())
	}
	if !s.unshared {
		return []sample.Request{r}
	}
	var list []sample.Request
	for _, seed := range r.Seeds {
		one := r
		one.Seeds = []uint64{seed}
		list = append(list, one)
	}
	return list
}

func generate(engine *engine.Engine, requests []sample.Request) error {
	return engine.Generate(context.Background(), requests, func(int, []sample.Completion) error { return nil })
}
