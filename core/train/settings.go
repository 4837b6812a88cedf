package train

import (
	"fmt"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/train/optim"
	"github.com/herd-lm/herd/core/train/pack"
)

// Settings are the settings of the loop, the same for every stage that trains.
type Settings struct {
	Steps  int     `yaml:"steps"`  // number of optimiser steps; 0: epochs decides
	Epochs float64 `yaml:"epochs"` // number of passes over the rows, if steps is 0

	BatchRows   int `yaml:"batch_rows"`   // maximum number of rows per optimiser step; 0: no limit
	BatchTokens int `yaml:"batch_tokens"` // maximum number of tokens per optimiser step; 0: no limit
	MicroTokens int `yaml:"micro_tokens"` // number of tokens per forward and backward pass; smaller values need less memory

	Schedule          string  `yaml:"schedule"`            // shape of the learning rate after a linear warm-up: cosine, linear or constant
	LearningRate      float64 `yaml:"learning_rate"`       // highest learning rate, at the end of the warm-up
	FinalLearningRate float64 `yaml:"final_learning_rate"` // learning rate at the end of the run
	WarmupSteps       int     `yaml:"warmup_steps"`        // number of steps over which the learning rate rises from 0

	WeightDecay float64 `yaml:"weight_decay"` // AdamW's decoupled weight decay, applied to matrices only
	Beta1       float64 `yaml:"beta1"`        // decay rate of AdamW's mean of gradients
	Beta2       float64 `yaml:"beta2"`        // decay rate of AdamW's mean of squared gradients
	Epsilon     float64 `yaml:"epsilon"`      // term that AdamW adds to the denominator
	ClipNorm    float64 `yaml:"clip_norm"`    // maximum norm of the gradient of all parameters; 0: no clipping

	Precision kernel.Precision `yaml:"precision"` // precision of matrix products: fp32, bf16, or auto, the faster of them
	Seed      uint64           `yaml:"seed"`      // random seed for row order, new weights and dropout; 0 in a recipe: the recipe's seed

	// SaveDType affects the content of the directory, so digests include it. Unset, it changes
	// no digest, so runs from before the setting existed keep theirs.
	SaveDType string `yaml:"save_dtype" json:",omitempty"` // type of the finished model's weights: float32, float16 or bfloat16; empty: float32

	LoRA model.LoRA `yaml:"lora" json:"LoRA,omitzero"` // train an adapter instead of all weights

	// The weights do not depend on these settings, so digests leave them out.
	Recompute       model.Recompute `yaml:"recompute" json:"-"`        // activations to recompute in the backward pass, to save memory: none, or layer for those of every layer
	CheckpointEvery int             `yaml:"checkpoint_every" json:"-"` // number of steps between checkpoints; 0: save one only when the run is stopped
}

// Defaults returns the default settings of all stages, after arXiv 2407.21783, section 3.4.1,
// except for sizes.
func Defaults() Settings {
	return Settings{
		Epochs: 1, BatchTokens: 16384, MicroTokens: 4096,
		Schedule: optim.Cosine, LearningRate: 3e-4, WeightDecay: 0.1,
		Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, ClipNorm: 1, CheckpointEvery: 200, LoRA: model.DefaultLoRA(),
	}
}

// Validate returns an error for the first invalid setting, by its YAML name.
func (s Settings) Validate() error {
	switch {
	case s.Steps < 0:
		return fmt.Errorf("steps is %d, expected 0 or more", s.Steps)
	case s.Steps == 0 && !(s.Epochs > 0):
		return fmt.Errorf("epochs is %g, expected a positive number (or set steps)", s.Epochs)
	case s.BatchRows < 0 || s.BatchTokens < 0 || s.BatchRows+s.BatchTokens == 0:
		return fmt.Errorf("batch_rows is %d and batch_tokens %d, expected one of them positive", s.BatchRows, s.BatchTokens)
	case s.MicroTokens <= 0:
		return fmt.Errorf("micro_tokens is %d, expected a positive number", s.MicroTokens)
	case s.SaveDType != "" && model.CheckDType(s.SaveDType) != nil:
		return fmt.Errorf("save_%w", model.CheckDType(s.SaveDType))
	case s.CheckpointEvery < 0:
		return fmt.Errorf("checkpoint_every is %d, expected 0 or more", s.CheckpointEvery)
	case !(s.ClipNorm >= 0):
		return fmt.Errorf("clip_norm is %g, expected 0 or more", s.ClipNorm)
	case !(s.LearningRate > 0):
		return fmt.Errorf("learning_rate is %g, expected a positive number", s.LearningRate)
	case s.Precision.ForTraining() != nil:
		return s.Precision.ForTraining()
	}
	return s.LoRA.Validate()
}

func (s Settings) limits() pack.Limits {
	return pack.Limits{Rows: s.BatchRows, Tokens: s.BatchTokens, Micro: s.MicroTokens}
}

// steps returns how many steps a run takes over the plan.
func (s Settings) steps(plan *pack.Plan) int {
	if s.Steps > 0 {
		return s.Steps
	}
	return plan.Steps(s.Epochs)
}

// schedule returns the learning-rate schedule of a run. It reaches the final rate one step
// after the last: a last step with a rate of 0 would be wasted. The warm-up is at most as long
// as the run.
func (s Settings) schedule(steps int) optim.Schedule {
	return optim.Schedule{Kind: s.Schedule, Warmup: min(s.WarmupSteps, steps), Total: steps + 1, Peak: s.LearningRate, Final: s.FinalLearningRate}
}

func (s Settings) optimizer(n int) *optim.AdamW {
	a := optim.NewAdamW(n)
	a.Beta1, a.Beta2, a.Eps, a.Decay = s.Beta1, s.Beta2, s.Epsilon, s.WeightDecay
	return a
}
