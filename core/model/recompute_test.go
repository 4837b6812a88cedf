package model_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

func deep(c model.Config, layers int) model.Config {
	c.Layers = layers
	return c
}

// TestRecompute: activations that are computed again give the same loss and the
// same gradients, bit for bit; in batches with shared prompts, in batches smaller
// than the program, and when gradients are added up.
func TestRecompute(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, 19))
	full := deep(small(true), 3)
	full.KVHeads = full.Heads
	for _, c := range []struct {
		name   string
		config model.Config
		loss   model.Loss
		value  bool
	}{
		{"grouped queries, untied", deep(small(false), 4), contrast, false},
		{"grouped queries, tied", small(true), contrast, false},
		{"a key for each query", full, model.CrossEntropy, false},
		{"reward", deep(small(false), 4).Reward(), ranking, true},
		{"biases", deep(qwen(true), 3), contrast, false},
		{"one layer", deep(small(true), 1), contrast, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := random(t, c.config)
			big := pack.Batch([]pack.Example{preference(rng, 9, 6, 4, 37, c.value), preference(rng, 5, 8, 7, 37, c.value)})
			little := pack.Batch([]pack.Example{preference(rng, 4, 3, 2, 37, c.value)})
			keeping := compileAs(t, p, big, c.loss, model.RecomputeNone)
			again := compileAs(t, p, big, c.loss, model.RecomputeLayer)
			for i, b := range []*token.Batch{big, little, big} {
				before := slices.Clone(p.G)
				want := *run(t, keeping, b, 0.5, i > 0)
				g := slices.Clone(p.G)
				copy(p.G, before)
				got := *run(t, again, b, 0.5, i > 0)
				if got.Loss != want.Loss || !slices.Equal(got.LogProb, want.LogProb) || !slices.Equal(got.Value, want.Value) {
					t.Errorf("batch %d: loss %v recomputed, %v kept", i, got.Loss, want.Loss)
				}
				if !slices.Equal(p.G, g) || norm(g) == 0 {
					t.Errorf("batch %d: the gradients differ by %v", i, difference(p.G, g))
				}
			}
		})
	}
}

// TestRecomputePlanted changes a weight of the first layer between the forward pass
// and the gradient: what is computed again differs, and so must the gradients.
func TestRecomputePlanted(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, 21))
	b := pack.Batch([]pack.Example{preference(rng, 9, 6, 4, 37, false)})
	var losses []float64
	var gradients [][]float32
	for _, r := range []model.Recompute{model.RecomputeNone, model.RecomputeLayer} {
		p := random(t, small(true))
		losses = append(losses, run(t, compileAs(t, p, b, meddling(p), r), b, 1, false).Loss)
		gradients = append(gradients, slices.Clone(p.G))
	}
	if losses[0] != losses[1] || slices.Equal(gradients[0], gradients[1]) {
		t.Errorf("losses %v; equal gradients: %v", losses, slices.Equal(gradients[0], gradients[1]))
	}
}

// meddling is cross-entropy by way of a node that changes a weight.
func meddling(p *model.Params) model.Loss {
	return func(o *model.Outputs) model.Expr {
		return o.Weight().Dot(o.LogProb().Apply("meddle", func(logp *G.Node) (*G.Node, error) {
			op := &graph.Op{Name: "meddle", Out: graph.NewBuffer(logp.Shape()[0]), Wrt: []bool{true}}
			op.Forward = func(in []G.Value) {
				copy(op.Out.Data, graph.Floats(in[0]))
				p.Layers[0].QKV.W[5] += 0.5
			}
			op.Gradient = func(_ G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{dy}, nil }
			return op.Apply(logp), nil
		})).Neg()
	}
}

// TestRecomputeMemory: another layer takes no more memory than its input.
func TestRecomputeMemory(t *testing.T) {
	b := pack.Batch([]pack.Example{pack.Text("row", make([]token.ID, 65))})
	arena := func(layers int, r model.Recompute) int64 {
		return compileAs(t, random(t, deep(small(true), layers)), b, model.CrossEntropy, r).Plan.ArenaBytes
	}
	input := int64(4 * 64 * small(true).HiddenSize)
	if grown := arena(13, model.RecomputeLayer) - arena(12, model.RecomputeLayer); grown != input {
		t.Errorf("a layer more takes %d bytes, its input has %d", grown, input)
	}
	if kept, recomputed := arena(12, model.RecomputeNone), arena(12, model.RecomputeLayer); 4*recomputed > kept {
		t.Errorf("%d bytes recomputed, %d kept", recomputed, kept)
	}
}

// TestTooManyActivations: the error suggests settings that need less memory.
func TestTooManyActivations(t *testing.T) {
	if _, known := memory.Available(); !known {
		t.Skip("nobody knows how much memory there is here")
	}
	p := random(t, small(true))
	huge := token.Size{Tokens: 1 << 40, Reads: 8}
	_, err := model.Compile(p, huge, model.CrossEntropy, model.RecomputeNone)
	const smaller, again = "smaller micro-batches", "recompute: layer"
	if err == nil || !strings.Contains(err.Error(), smaller) || !strings.Contains(err.Error(), again) {
		t.Errorf("error %v, want one that says %q and %q", err, smaller, again)
	}
	_, recomputing := model.Compile(p, huge, model.CrossEntropy, model.RecomputeLayer)
	_, forward := model.CompileForward(p, huge, model.CrossEntropy)
	for _, err := range []error{recomputing, forward} {
		if err == nil || !strings.Contains(err.Error(), smaller) || strings.Contains(err.Error(), again) {
			t.Errorf("error %v, want one that says %q and not %q", err, smaller, again)
		}
	}
}

func TestRecomputeText(t *testing.T) {
	for _, want := range []model.Recompute{model.RecomputeNone, model.RecomputeLayer} {
		text, err := want.MarshalText()
		got := model.Recompute(9)
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Errorf("%q is read as %v (%v)", text, uint8(got), err)
		}
		if err != nil {
			t.Error(err)
		}
	}
	got := model.RecomputeLayer
	if err := got.UnmarshalText([]byte("all")); err == nil || got != model.RecomputeLayer {
		t.Errorf("all is read as %v, error %v", got, err)
	}
}
