package model_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// costs profiles runs of a batch in a graph with room for more.
func costs(t *testing.T, p *model.Params, b *token.Batch, loss model.Loss, accumulate ...bool) map[string]graph.Cost {
	t.Helper()
	room := b.Size()
	room.Tokens, room.Reads = room.Tokens+50, room.Reads+30
	prog, err := model.Compile(p, room, loss, model.RecomputeNone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	prog.Profile()
	for _, add := range accumulate {
		run(t, prog, b, 1, add)
	}
	list := make(map[string]graph.Cost)
	for _, c := range prog.Costs() {
		if _, twice := list[c.Name]; twice {
			t.Errorf("%s is there twice", c.Name)
		}
		list[c.Name] = c
	}
	return list
}

// TestCosts counts by hand. The model has 2 layers of width d = 24 and 44 in the
// feed-forward block, 3 heads and one for keys and values, of 8 each: 40 wide
// together. The batch is a prompt of 5 and responses of 4 and 7: N = 5 + 3 + 6
// tokens, for the last are only targets, R = 11 readouts, and 15 + (6 + 3*5) +
// (21 + 6*5) = 87 pairs that attention sees.
func TestCosts(t *testing.T) {
	const layers, N, R, d, f, qkv, pairs, vocab = 2, 14, 11, 24, 44, 40, 87, 37
	b := pack.Batch([]pack.Example{preference(rand.New(rand.NewPCG(1, 2)), 5, 4, 7, vocab, false)})
	got := costs(t, random(t, small(false)), b, contrast, false)

	flops := map[string]float64{
		"qkv_proj": layers * 2 * N * d * qkv, "qkv_proj.grad": layers * 4 * N * d * qkv,
		"o_proj": layers * 2 * N * d * d, "o_proj.grad": layers * 4 * N * d * d,
		"gate_up_proj": layers * 2 * N * d * 2 * f, "gate_up_proj.grad": layers * 4 * N * d * 2 * f,
		"down_proj": layers * 2 * N * f * d, "down_proj.grad": layers * 4 * N * f * d,
		"attention": layers * 2 * 2 * pairs * d, "attention.grad": layers * 5 * 2 * pairs * d,
		"head": 2 * R * d * vocab, "head.grad": 3 * 2 * R * d * vocab,
		"embed": 0, "embed.grad": 0, "norm": 0, "norm.grad": 0, "swiglu.grad": 0,
		"gather": 0, "gather.grad": 0, "sequences": 0, "sequences.grad": 0,
		"chosen": 0, "chosen.grad": 0, "rejected": 0, "rejected.grad": 0,
	}
	for name, want := range flops {
		if c, ok := got[name]; !ok || c.Flops != want {
			t.Errorf("%s takes %v operations (is there: %v), want %v", name, c.Flops, ok, want)
		}
	}
	if len(got) != len(flops) {
		t.Errorf("kinds of operations %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(flops)))
	}

	for name, elements := range map[string]float64{
		"qkv_proj":      layers * (N*d + qkv*d + N*qkv),
		"qkv_proj.grad": layers * (N*d + qkv*d + N*qkv + N*d + qkv*d),
		"o_proj":        layers * (N*d + d*d + N*d + N*d),     // and the stream that it adds
		"gate_up_proj":  layers * (N*d + 2*f*d + N*2*f + N*f), // which is gate and up, and what they make
		"swiglu.grad":   layers * (N*2*f + N*f + N*2*f),
		"attention":     layers * (N*qkv + N*d + N*3),
		"norm":          layers*2*(N*d+d+N*d+N) + (R*d + d + R*d + R),
		"head":          R*d + vocab*d + R + R,
		"embed":         2 * N * d,     // rows of the table, and where they go
		"embed.grad":    N*d + vocab*d, // the gradient is set
		"gather.grad":   R*d + N*d,
	} {
		if c := got[name]; c.Bytes != 4*elements {
			t.Errorf("%s moves %v bytes, want %v", name, c.Bytes, 4*elements)
		}
	}
	if c := got["norm"]; c.Time <= 0 {
		t.Errorf("norms took %v", c.Time)
	}
}

// TestCostsAddUp: what two runs cost is the sum, of which the second adds to the
// gradient of the embedding instead of setting it.
func TestCostsAddUp(t *testing.T) {
	b := pack.Batch([]pack.Example{preference(rand.New(rand.NewPCG(1, 2)), 5, 4, 7, 37, true)})
	p := random(t, small(false).Reward())
	one, two := costs(t, p, b, ranking, false), costs(t, p, b, ranking, false, true)
	for name, c := range one {
		if d := two[name]; d.Flops != 2*c.Flops || name != "embed.grad" && d.Bytes != 2*c.Bytes {
			t.Errorf("one run costs %+v, two %+v", c, d)
		}
	}
	const N, S, d, vocab = 16, 2, 24, 37 // the value head reads the last tokens
	if got := one["score"].Flops + one["score.grad"].Flops; got != 6*S*d {
		t.Errorf("the value head takes %v operations, want %v", got, 6*S*d)
	}
	if got := two["embed.grad"].Bytes - one["embed.grad"].Bytes; got != 4*3*N*d {
		t.Errorf("adding to the gradient of the embedding moves %v bytes, want %v", got, 4*3*N*d)
	}
}
