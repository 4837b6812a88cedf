package model_test

import (
	"math"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/train/optim"
	"github.com/herd-lm/herd/core/train/pack"
)

// The tolerances of bfloat16, whose factors have eight bits: each is off by up to
// 2⁻⁹, relatively, and so is what is computed from many of them, about.
const (
	lossBF16 = 1.0 / 512
	normBF16 = 1e-2
)

// TestGoldenBF16 holds products in bfloat16 against the float64 values.
func TestGoldenBF16(t *testing.T) {
	var want sftGolden
	golden(t, "sft.json", &want)
	p := loadTiny(t)
	p.Precision = kernel.BF16
	b := pack.Batch(supervised(want.Tokens, want.Labels))
	r := run(t, compile(t, p, b, model.CrossEntropy), b, 1/b.Norm, false)
	if !near(r.Loss, want.Loss, lossBF16) {
		t.Errorf("loss %v, want %v", r.Loss, want.Loss)
	}
	if near(r.Loss, want.Loss, 1e-7) {
		t.Errorf("loss %v to 7 digits: nothing was rounded", r.Loss)
	}
	var worst float64
	for _, param := range p.Tensors {
		g := want.Grads[param.Name]
		off := math.Abs(norm(param.G)-g.L2) / g.L2
		worst = max(worst, off)
		if off > normBF16 {
			t.Errorf("%s: gradient norm %v, want %v", param.Name, norm(param.G), g.L2)
		}
	}
	t.Logf("loss off by %.1e, a gradient's norm by at most %.1e", math.Abs(r.Loss-want.Loss), worst)
}

// TestTrajectoryBF16: ten optimiser steps stay near those in float64.
func TestTrajectoryBF16(t *testing.T) {
	var want sftGolden
	golden(t, "sft.json", &want)
	p := loadTiny(t)
	p.Precision = kernel.BF16
	a := optim.NewAdamW(len(p.W))
	o := want.Const.Optimizer
	a.Beta1, a.Beta2, a.Eps, a.Decay = o.Betas[0], o.Betas[1], o.Eps, o.Decay
	for i, step := range want.Const.Steps {
		b := pack.Batch(supervised(want.Const.Batches[i], want.Const.Labels[i]))
		r := run(t, compile(t, p, b, model.CrossEntropy), b, 1/b.Norm, false)
		if !near(r.Loss, step.Loss, lossBF16) {
			t.Errorf("step %d: loss %v, want %v", i+1, r.Loss, step.Loss)
		}
		if _, _, err := a.Step(p.W, p.G, []optim.Range{{Start: 0, End: len(p.W)}}, step.LR, o.Clip); err != nil {
			t.Fatal(err)
		}
	}
}
