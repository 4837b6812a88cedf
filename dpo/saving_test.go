package dpo

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/realdata"
	"github.com/herd-lm/herd/internal/testmodel"
)

// TestSharedPrefixSaving measures on real pairs what it saves to compute the
// prompt once for both responses; docs/measurements.md has the numbers.
func TestSharedPrefixSaving(t *testing.T) {
	for _, name := range []string{"llamafactory-dpo_en_demo.json.gz", "llamafactory-dpo_zh_demo.json.gz"} {
		t.Run(name, func(t *testing.T) {
			shared := realPairs(t, name, 0)
			one, two := workOf(shared), workOf(apart(shared))
			var tokens, attended int
			for _, e := range shared {
				p := len(e.Prompt.IDs)
				tokens, attended = tokens+p, attended+p*(p+1)/2
			}
			if two.tokens-one.tokens != tokens || two.attended-one.attended != attended {
				t.Errorf("sharing saves %d tokens and %d attention pairs, the prompts have %d and %d",
					two.tokens-one.tokens, two.attended-one.attended, tokens, attended)
			}
			if one.reads != two.reads {
				t.Errorf("%d readouts shared, %d apart: want as many", one.reads, two.reads)
			}
			t.Logf("%d pairs: prompts %d tokens, responses %d", len(shared), tokens, one.tokens-tokens)
			t.Logf("tokens:          shared %9d, apart %9d: %.1f%% saved", one.tokens, two.tokens, saved(one.tokens, two.tokens))
			t.Logf("attention pairs: shared %9d, apart %9d: %.1f%% saved", one.attended, two.attended, saved(one.attended, two.attended))
			t.Logf("head readouts:   %d, of every token they would be %d: %.1f%% saved", one.reads, two.tokens, saved(one.reads, two.tokens))
		})
	}
}

// TestSharedPrefixLoss: on real pairs too, shared and separate prompts give one
// loss and one gradient.
func TestSharedPrefixLoss(t *testing.T) {
	shared := realPairs(t, "llamafactory-dpo_en_demo.json.gz", 4)
	b := pack.Batch(shared)
	loss, gradient := lossOf(t, b)
	wantLoss, wantGradient := lossOf(t, separate(shared))
	if math.Abs(loss-wantLoss) > 1e-5*math.Abs(wantLoss) {
		t.Errorf("loss %v shared, %v apart", loss, wantLoss)
	}
	if d := distance(gradient, wantGradient); d > 1e-4 {
		t.Errorf("the gradients differ by %.2g of their norm", d)
	}
	// Planted: a response one position off must be noticed.
	for i := b.Segments[1].Start; i < b.Segments[1].End; i++ {
		b.Pos[i]++
	}
	if _, wrong := lossOf(t, b); distance(wrong, wantGradient) < 1e-3 {
		t.Error("a response that begins a position late gives the same gradient")
	}
}

// BenchmarkSharedPrefix times a training step on real pairs, of a model of the
// quickstart's shape.
func BenchmarkSharedPrefix(b *testing.B) {
	examples := realPairs(b, "llamafactory-dpo_en_demo.json.gz", 4)
	for _, c := range []struct {
		name  string
		batch *token.Batch
	}{{"shared", pack.Batch(examples)}, {"apart", separate(examples)}} {
		b.Run(c.name, func(b *testing.B) {
			program, _ := compile(b, shape{192, 512, 4, 6, 2}, c.batch)
			for b.Loop() {
				step(b, program, c.batch)
			}
			b.ReportMetric(float64(len(c.batch.IDs)), "tokens/op")
		})
	}
}

// realPairs returns the examples of the first n rows of a file of pairs, all if n
// is 0, under a tokenizer trained on them.
func realPairs(t testing.TB, name string, n int) []pack.Example {
	t.Helper()
	file := realdata.Path(t, "data", "prefs", name)
	path := filepath.Join(t.TempDir(), "pairs.arrow")
	if _, err := format.Import(path, []string{file}, format.ImportSettings{Kind: table.Preferences, Limit: n}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Preference](path)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, row := range rows {
		for _, m := range slices.Concat(row.Prompt, row.Chosen, row.Rejected) {
			texts = append(texts, m.Content)
		}
	}
	size := 4096
	if n > 0 {
		size = 512
	}
	layout := testmodel.Format(t, testmodel.Tokenizer(t, size, texts...))
	var examples []pack.Example
	for _, row := range rows {
		e, err := Example(layout, row, true)
		if err != nil {
			t.Fatal(err)
		}
		examples = append(examples, e)
	}
	return examples
}

// apart returns each response with a prompt of its own.
func apart(examples []pack.Example) []pack.Example {
	var rows []pack.Example
	for _, e := range examples {
		for i := range e.Responses {
			rows = append(rows, pack.Example{Row: e.Row, Prompt: e.Prompt, Responses: e.Responses[i : i+1], Norm: e.Norm / 2})
		}
	}
	return rows
}

// separate is the batch of apart with the pairs of the shared rows: sequences
// come in the same order.
func separate(examples []pack.Example) *token.Batch {
	b := pack.Batch(apart(examples))
	b.Pairs = pack.Batch(examples).Pairs
	return b
}

// work is what a batch asks of a model: tokens to compute, queries times the keys
// that they see, and positions that the head reads.
type work struct{ tokens, attended, reads int }

func workOf(examples []pack.Example) work {
	b := pack.Batch(examples)
	return work{tokens: len(b.IDs), attended: b.Attended(), reads: len(b.Read)}
}

func saved(one, two int) float64 { return 100 * (1 - float64(one)/float64(two)) }

// lossOf returns the loss of b under a small random model, and its gradient.
func lossOf(t *testing.T, b *token.Batch) (float64, []float32) {
	t.Helper()
	program, p := compile(t, shape{32, 48, 2, 2, 1}, b)
	return step(t, program, b), p.G
}

// shape is that of a model: widths, layers, heads, heads for keys and values.
type shape struct{ hidden, intermediate, layers, heads, kv int }

func compile(t testing.TB, s shape, b *token.Batch) (*model.Program, *model.Params) {
	t.Helper()
	p := testmodel.Random(t, testmodel.Shape{
		Vocab: 512, Hidden: s.hidden, Intermediate: s.intermediate, Layers: s.layers, Heads: s.heads, KVHeads: s.kv,
		Positions: 4096, InitRange: 0.1, Tied: true,
	}.Config(), 1)
	program, err := model.Compile(p, b.Size(), Sigmoid(0.1, 0.2), model.RecomputeNone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return program, p
}

// step computes loss and gradient of b and returns the loss.
func step(t testing.TB, program *model.Program, b *token.Batch) float64 {
	t.Helper()
	r, err := program.Run(b, 1/b.Norm, false)
	if err != nil {
		t.Fatal(err)
	}
	return r.Loss
}

// distance returns the norm of a-b over that of b.
func distance(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += float64(a[i]-b[i]) * float64(a[i]-b[i])
		n += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / n)
}
