package model_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// weighted is a batch of texts with uneven weights, every fifth 0.
func weighted(rng *rand.Rand, texts, length, vocab int) *token.Batch {
	var rows []pack.Example
	for i := range texts {
		rows = append(rows, pack.Text(fmt.Sprint(i), randomIDs(rng, length, vocab)))
	}
	b := pack.Batch(rows)
	for i := range b.Weight {
		b.Weight[i] = rng.Float32()
		if i%5 == 0 {
			b.Weight[i] = 0
		}
	}
	return b
}

// several is a batch with more readouts than a head takes at a time.
func several(t *testing.T, rng *rand.Rand, texts int) *token.Batch {
	b := weighted(rng, texts, 61, 37)
	if r := len(b.Read); kernel.CrossEntropyScratch(r, 37) == r*kernel.LogitRow(37) {
		t.Fatalf("%d readouts are taken at once", r)
	}
	return b
}

// TestCrossEntropyIsNegLogLikelihood compares the gradient of one pass with the
// one that Gorgonia derives, over a step of two micro-batches.
func TestCrossEntropyIsNegLogLikelihood(t *testing.T) {
	rng := rand.New(rand.NewPCG(30, 31))
	for _, tied := range []bool{false, true} {
		p := random(t, small(tied))
		step := []*token.Batch{several(t, rng, 18), weighted(rng, 3, 9, 37)}
		gradient := func(loss model.Loss) (losses []float64, logp [][]float32, g []float32) {
			prog := compile(t, p, step[0], loss)
			for i, b := range step {
				r := run(t, prog, b, 1e-3, i > 0)
				losses, logp = append(losses, r.Loss), append(logp, slices.Clone(r.LogProb))
			}
			return losses, logp, slices.Clone(p.G)
		}
		wantLoss, wantLogp, want := gradient(model.NegLogLikelihood)
		gotLoss, gotLogp, got := gradient(model.CrossEntropy)
		for i := range step {
			if !near(gotLoss[i], wantLoss[i], 1e-6) {
				t.Errorf("tied %v: loss %v, want %v", tied, gotLoss[i], wantLoss[i])
			}
			if d := difference(gotLogp[i], wantLogp[i]); d > 2e-6 {
				t.Errorf("tied %v: log-probabilities differ by %v", tied, d)
			}
		}
		if d := difference(got, want); d > 1e-6*norm(want) {
			t.Errorf("tied %v: gradients differ by %v of %v", tied, d, norm(want))
		}
		step[1].Weight[3] += 0.05 // 5e-5 of the loss
		if _, _, planted := gradient(model.CrossEntropy); difference(planted, want) <= 1e-6*norm(want) {
			t.Errorf("tied %v: a wrong weight goes unnoticed", tied)
		}
	}
}

// TestCrossEntropyBits: neither threads nor a program with room for more change
// a bit.
func TestCrossEntropyBits(t *testing.T) {
	defer kernel.SetThreads(0)
	rng := rand.New(rand.NewPCG(32, 33))
	p := random(t, small(true))
	for name, b := range map[string]*token.Batch{"several": several(t, rng, 18), "one": weighted(rng, 3, 20, 37)} {
		kernel.SetThreads(1)
		loss := run(t, compile(t, p, b, model.CrossEntropy), b, 1, false).Loss
		g := slices.Clone(p.G)
		big := weighted(rng, 20, 61, 37)
		prog := compile(t, p, big, model.CrossEntropy)
		run(t, prog, big, 1, false)
		for _, threads := range []int{1, 2, 3, 7} {
			kernel.SetThreads(threads)
			if got := run(t, prog, b, 1, false).Loss; got != loss || !slices.Equal(g, p.G) {
				t.Errorf("%s, %d threads in a larger program: loss %v, want %v; gradients differ by %v", name, threads, got, loss, difference(g, p.G))
			}
		}
	}
}

// TestCrossEntropyForward: a program without gradients computes none, and the
// same loss.
func TestCrossEntropyForward(t *testing.T) {
	rng := rand.New(rand.NewPCG(34, 35))
	p := random(t, small(false))
	b := several(t, rng, 18)
	training := compile(t, p, b, model.CrossEntropy)
	want := *run(t, training, b, 1, false)
	if norm(p.Head.G) == 0 {
		t.Error("the training program leaves no gradient")
	}
	clear(p.G)
	forward, err := model.CompileForward(p, b.Size(), model.CrossEntropy)
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	if got := run(t, forward, b, 1, false); got.Loss != want.Loss || !slices.Equal(got.LogProb, want.LogProb) {
		t.Errorf("forward loss %v, training loss %v", got.Loss, want.Loss)
	}
	if n := norm(p.G); n != 0 {
		t.Errorf("the forward program leaves a gradient of norm %v", n)
	}
	if forward.Plan.ArenaBytes >= training.Plan.ArenaBytes {
		t.Errorf("forward arena of %d bytes, training arena of %d", forward.Plan.ArenaBytes, training.Plan.ArenaBytes)
	}
}

// TestCrossEntropyFactor: if the loss multiplies the cross-entropy, its gradient would be
// wrong, and the run returns an error.
func TestCrossEntropyFactor(t *testing.T) {
	rng := rand.New(rand.NewPCG(36, 37))
	p := random(t, small(true))
	b := weighted(rng, 3, 9, 37)
	for want, loss := range map[string]model.Loss{
		"multiplied by 2":   func(o *model.Outputs) model.Expr { return model.CrossEntropy(o).Scale(2) },
		"multiplied by 0.5": func(o *model.Outputs) model.Expr { return model.Const(0.5).Mul(model.CrossEntropy(o)) },
		"multiplied by -1":  func(o *model.Outputs) model.Expr { return model.CrossEntropy(o).Neg() },
		"multiplied by":     func(o *model.Outputs) model.Expr { return model.CrossEntropy(o).Square() },
	} {
		_, err := compile(t, p, b, loss).Run(b, 1, false)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "node cross-entropy.grad#") {
			t.Errorf("error %v, want %q", err, want)
		}
	}

	// A term beside it is no factor.
	run(t, compile(t, p, b, model.CrossEntropy), b, 1, false)
	want := slices.Clone(p.G)
	run(t, compile(t, p, b, func(o *model.Outputs) model.Expr {
		return model.CrossEntropy(o).Add(o.Weight().Sum())
	}), b, 1, false)
	if !slices.Equal(want, p.G) {
		t.Errorf("with a constant added to the loss the gradients differ by %v", difference(want, p.G))
	}
}

// TestCrossEntropyBesideLogProb: each would set the gradient of the head.
func TestCrossEntropyBesideLogProb(t *testing.T) {
	p := random(t, small(false))
	b := pack.Batch([]pack.Example{preference(rand.New(rand.NewPCG(38, 39)), 5, 4, 7, 37, false)})
	for name, terms := range map[string][2]model.Loss{
		"after":  {model.CrossEntropy, contrast},
		"before": {contrast, model.CrossEntropy},
	} {
		_, err := model.Compile(p, b.Size(), func(o *model.Outputs) model.Expr {
			return terms[0](o).Add(terms[1](o))
		}, model.RecomputeNone)
		if err == nil || !strings.Contains(err.Error(), "NegLogLikelihood") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestCrossEntropyWithoutReadouts: a batch that learns nothing has a loss of 0
// and no gradient.
func TestCrossEntropyWithoutReadouts(t *testing.T) {
	p := random(t, small(true))
	b := weighted(rand.New(rand.NewPCG(40, 41)), 2, 9, 37)
	prog := compile(t, p, b, model.CrossEntropy)
	run(t, prog, b, 1, false)
	b.Read, b.Target, b.Weight = nil, nil, nil
	if r := run(t, prog, b, 1, false); r.Loss != 0 || math.Signbit(r.Loss) || len(r.LogProb) != 0 || norm(p.G) != 0 {
		t.Errorf("loss %v, %d log-probabilities, gradient of norm %v", r.Loss, len(r.LogProb), norm(p.G))
	}
}

// TestStepAllocation: a warm step allocates what Gorgonia's machine and the
// kernels' closures take, which is little beside any array of the step.
func TestStepAllocation(t *testing.T) {
	rng := rand.New(rand.NewPCG(42, 43))
	p := random(t, small(true))
	b := several(t, rng, 18)
	for name, loss := range map[string]model.Loss{"cross-entropy": model.CrossEntropy, "likelihood": model.NegLogLikelihood} {
		prog := compile(t, p, b, loss)
		least := uint64(math.MaxUint64) // until each thread has come to a part of each kernel
		for range 8 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			run(t, prog, b, 1, false)
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > 64<<10 {
			t.Errorf("%s: a run allocates %d bytes", name, least)
		}
	}
}
