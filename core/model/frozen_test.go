package model_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// stored writes a random model, and another whose matrices have the values that the
// storage makes of its weights.
func stored(t *testing.T, c model.Config, s kernel.Storage) (dir, rounded string) {
	t.Helper()
	p := random(t, c)
	dir, rounded = filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	if err := errors.Join(os.Mkdir(dir, 0o777), os.Mkdir(rounded, 0o777), p.Save(dir)); err != nil {
		t.Fatal(err)
	}
	changed := false
	for _, w := range p.Tensors {
		if len(w.Shape) == 2 && w != p.Score {
			f := kernel.NewFrozen(s, w.Shape[0], w.Shape[1])
			f.Set(0, w.W)
			before := slices.Clone(w.W)
			f.Floats(w.W, 0, w.Shape[0])
			changed = changed || !slices.Equal(before, w.W)
		}
	}
	if err := p.Save(rounded); err != nil || !changed {
		t.Fatalf("error %v, or rounding changes nothing", err)
	}
	return dir, rounded
}

// TestFrozenStorage: a base that is kept smaller computes what the rounded weights
// would, bit for bit, gradients and recomputation included.
func TestFrozenStorage(t *testing.T) {
	for _, s := range []kernel.Storage{kernel.StoreBF16, kernel.StoreInt8} {
		for name, l := range shapes() {
			for _, c := range []struct {
				config model.Config
				loss   model.Loss
				value  bool
			}{
				{deep(small(true), 3), model.CrossEntropy, false},
				{small(false), contrast, false},
				{small(false).Reward(), ranking, true},
			} {
				dir, rounded := stored(t, c.config, s)
				b := pair(rand.New(rand.NewPCG(31, 32)), c.value)
				gradients := func(dir string, l model.LoRA, r model.Recompute) (float64, []float32) {
					p, err := model.Source{Model: dir}.LoadAdapted(c.config, l, 4)
					if err != nil {
						t.Fatal(err)
					}
					a := p.Adapter
					for i := range a.W {
						a.W[i] += float32(i%11)/50 - 0.1
					}
					loss := run(t, compileAs(t, p, b, c.loss, r), b, 1, false).Loss
					return loss, slices.Clone(a.G)
				}
				loss, want := gradients(rounded, l, model.RecomputeNone)
				l.BaseDType = s
				for _, r := range []model.Recompute{model.RecomputeNone, model.RecomputeLayer} {
					if got, g := gradients(dir, l, r); got != loss || !slices.Equal(g, want) || norm(g) == 0 {
						t.Errorf("%v, %s, recompute %v: loss %v, want %v; the gradients differ by %v", s, name, r, got, loss, difference(g, want))
					}
				}
			}
		}
	}
}

// TestFrozenDigest: the storage of the base does not change its digest.
func TestFrozenDigest(t *testing.T) {
	dir, rounded := stored(t, small(true), kernel.StoreInt8)
	digest := func(dir string, s kernel.Storage) string {
		l := shapes()["all"]
		l.BaseDType = s
		p, err := model.Source{Model: dir}.LoadAdapted(small(true), l, 4)
		if err != nil {
			t.Fatal(err)
		}
		return p.Digest()
	}
	want := digest(dir, kernel.StoreFP32)
	for _, s := range []kernel.Storage{kernel.StoreBF16, kernel.StoreInt8} {
		if digest(dir, s) != want {
			t.Errorf("kept as %v, the model is another", s)
		}
	}
	if digest(rounded, kernel.StoreInt8) == want {
		t.Error("a model of other weights has the same digest")
	}
}

// TestDigestOfBody: a reward model has the body of the model that it is made from,
// tied head or not; and the embedding is part of it.
func TestDigestOfBody(t *testing.T) {
	for _, tied := range []bool{false, true} {
		dir := t.TempDir()
		p := random(t, small(tied))
		if err := p.Save(dir); err != nil {
			t.Fatal(err)
		}
		r, err := model.LoadReward(dir, false)
		if err != nil || r.Digest() != p.Digest() {
			t.Errorf("tied %v: as a reward model the body is another (%v)", tied, err)
		}
		want := p.Digest()
		p.Embed.W[3]++
		if p.Digest() == want {
			t.Errorf("tied %v: another embedding goes unnoticed", tied)
		}
	}
}

// TestFrozenMemory: of the matrices that are widened only one is wide at a time, and
// the plan knows what is saved.
func TestFrozenMemory(t *testing.T) {
	b := pack.Batch([]pack.Example{pack.Text("row", make([]token.ID, 65))})
	measure := func(layers int, s kernel.Storage) (arena, bytes int64) {
		c := deep(small(true), layers)
		dir, _ := stored(t, c, kernel.StoreInt8)
		l := shapes()["all"]
		l.BaseDType = s
		p, err := model.Source{Model: dir}.LoadAdapted(c, l, 4)
		if err != nil {
			t.Fatal(err)
		}
		return compileAs(t, p, b, model.CrossEntropy, model.RecomputeLayer).Plan.ArenaBytes, p.Bytes()
	}
	few, small8 := measure(12, kernel.StoreInt8)
	more, _ := measure(13, kernel.StoreInt8)
	// Its output is kept, and so is what the gradient needs of the terms beside down_proj.
	if kept := int64(4 * 64 * (small(true).HiddenSize + 3)); more-few != kept {
		t.Errorf("a layer more takes %d bytes, its input and the terms %d", more-few, kept)
	}
	_, small16 := measure(12, kernel.StoreBF16)
	_, whole := measure(12, kernel.StoreFP32)
	c := deep(small(true), 12)
	matrices := float64(c.ParamCount() - 25*c.HiddenSize)
	if got := float64(whole-small16) / matrices; got != 2 {
		t.Errorf("bf16 saves %v bytes an element, want 2", got)
	}
	if got := float64(whole-small8) / matrices; math.Abs(got-2.84) > 0.1 { // 3, less a scale for each row of 24
		t.Errorf("int8 saves %v bytes an element", got)
	}
}
