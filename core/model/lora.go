package model

import (
	"fmt"
	"math"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
)

// projections are the matrices of a layer that can have an adapter, by PEFT's names in
// target_modules.
var projections = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// LoRA is the shape of an adapter: low-rank terms beside the projections of a frozen model
// (arXiv 2106.09685), by the names of PEFT's LoraConfig. With R = 0 there is no adapter, and
// all weights are trained.
type LoRA struct {
	R             int      `yaml:"r"`              // rank of the adapter; 0: no adapter
	Alpha         float64  `yaml:"alpha"`          // scale of the adapter: herd multiplies its output by alpha/r
	Dropout       float64  `yaml:"dropout"`        // dropout probability of the adapter's input in training
	TargetModules []string `yaml:"target_modules"` // projections that get an adapter
	RSLoRA        bool     `yaml:"rslora"`         // multiply by alpha/sqrt(r) instead of alpha/r (arXiv 2312.03732)
	DoRA          bool     `yaml:"dora"`           // learn the magnitudes of weight rows separately (arXiv 2402.09353)

	BaseDType kernel.Storage `yaml:"base_dtype" json:",omitzero"` // format of the frozen matrices in memory: fp32, bf16 or int8
}

// DefaultLoRA returns the default settings: no adapter, and terms beside all projections once
// R is set.
func DefaultLoRA() LoRA { return LoRA{Alpha: 16, TargetModules: slices.Clone(projections)} }

// IsZero reports whether there is no adapter. The other settings then have no effect and are
// not part of digests.
func (l LoRA) IsZero() bool { return l.R == 0 }

// Validate returns an error for the first invalid setting, by its YAML name.
func (l LoRA) Validate() error {
	switch {
	case l.R < 0 || l.R > 1<<16:
		return fmt.Errorf("lora.r is %d, expected 1 or more (0: train all weights)", l.R)
	case l.IsZero():
		return nil
	case !(l.Alpha > 0) || math.IsInf(l.Alpha, 0):
		return fmt.Errorf("lora.alpha is %g, expected a positive number", l.Alpha)
	case !(l.Dropout >= 0 && l.Dropout < 1):
		return fmt.Errorf("lora.dropout is %g, expected 0 or more and less than 1", l.Dropout)
	case len(l.TargetModules) == 0:
		return fmt.Errorf("lora.target_modules is empty, expected some of %v", projections)
	}
	for i, name := range l.TargetModules {
		if !slices.Contains(projections, name) {
			return fmt.Errorf("lora.target_modules has %q, expected some of %v", name, projections)
		}
		if slices.Contains(l.TargetModules[:i], name) {
			return fmt.Errorf("lora.target_modules has %q twice", name)
		}
	}
	return nil
}

// scale returns the factor of the terms.
func (l LoRA) scale() float64 {
	if l.RSLoRA {
		return l.Alpha / math.Sqrt(float64(l.R))
	}
	return l.Alpha / float64(l.R)
}

// fits reports whether weights of shape l can be trained under the settings s. Dropout may
// differ, and so may the order of the modules.
func (l LoRA) fits(s LoRA) bool {
	same := func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	return l.R == s.R && l.scale() == s.scale() && l.DoRA == s.DoRA && same(l.TargetModules, s.TargetModules)
}
