package model_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// small is a Llama with grouped queries and odd sizes.
func small(tied bool) model.Config {
	return model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu",
		VocabSize: 37, HiddenSize: 24, IntermediateSize: 44, Layers: 2, Heads: 3, KVHeads: 1, HeadDim: 8,
		MaxPositions: 64, RopeTheta: 10000, NormEps: 1e-5, InitRange: 0.2, TiedHead: tied,
	}
}

// qwen is small with biases.
func qwen(tied bool) model.Config {
	c := small(tied)
	c.ModelType, c.Architectures = "qwen2", []string{"Qwen2ForCausalLM"}
	return c
}

// random returns a model all of whose weights matter.
func random(t testing.TB, c model.Config) *model.Params {
	t.Helper()
	p, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.Init(7)
	rng := rand.New(rand.NewPCG(3, 3))
	for _, param := range p.Tensors {
		if param == p.Score || strings.HasSuffix(param.Name, ".bias") {
			for i := range param.W {
				param.W[i] = float32(rng.NormFloat64())
			}
		}
	}
	return p
}

func randomIDs(rng *rand.Rand, n, vocab int) []token.ID {
	ids := make([]token.ID, n)
	for i := range ids {
		ids[i] = token.ID(rng.IntN(vocab))
	}
	return ids
}

// preference is a prompt with two responses: everything that a stage reads out
// of a model at once, with uneven weights.
func preference(rng *rand.Rand, prompt, a, b, vocab int, value bool) pack.Example {
	e := pack.Example{Row: "pair", Norm: 1, Prompt: pack.Run{IDs: randomIDs(rng, prompt, vocab)}}
	for _, n := range []int{a, b} {
		r := pack.Run{IDs: randomIDs(rng, n, vocab), Value: value, Reference: -float64(n)}
		if !value {
			r.Weight, r.SeqWeight = make([]float32, n), make([]float32, n)
			for i := range n {
				r.Weight[i], r.SeqWeight[i] = rng.Float32(), 1
			}
		}
		e.Responses = append(e.Responses, r)
	}
	e.Pairs = []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}}
	return e
}

// contrast is a loss over everything that outputs offer but values.
func contrast(o *model.Outputs) model.Expr {
	return o.MeanOverPairs(o.PairDifference(o.LogRatio()).NegLogSigmoid()).Add(model.NegLogLikelihood(o))
}

// ranking is a loss over values.
func ranking(o *model.Outputs) model.Expr {
	return o.MeanOverPairs(o.PairDifference(o.Value()).NegLogSigmoid())
}

// TestGradientsByFiniteDifferences moves the weights along random directions:
// the loss must change as the gradient says.
func TestGradientsByFiniteDifferences(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name   string
		config model.Config
		loss   model.Loss
		value  bool
	}{
		{"untied", small(false), contrast, false},
		{"tied", small(true), contrast, false},
		{"cross-entropy", small(false), model.CrossEntropy, false},
		{"cross-entropy, tied", small(true), model.CrossEntropy, false},
		{"reward", small(false).Reward(), ranking, true},
		{"biases", qwen(true), contrast, false},
		{"reward with biases", qwen(false).Reward(), ranking, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := random(t, c.config)
			b := pack.Batch([]pack.Example{preference(rng, 5, 4, 7, 37, c.value), preference(rng, 3, 1, 2, 37, c.value)})
			prog := compile(t, p, b, c.loss)
			run(t, prog, b, 1, false)
			g := slices.Clone(p.G)
			for _, param := range p.Tensors {
				direction := make([]float64, len(param.W))
				var want, planted float64
				offset := index(p.G, param.G)
				for i := range direction {
					direction[i] = rng.NormFloat64()
					want += direction[i] * float64(g[offset+i])
					planted += direction[i] * float64(g[(offset+i+1)%len(g)])
				}
				got := slope(t, prog, b, param, direction)
				tolerance := 2e-3 * math.Max(0.1, norm(g[offset:offset+len(param.W)]))
				if math.Abs(got-want) > tolerance {
					t.Errorf("%s: loss changes by %v, the gradient says %v", param.Name, got, want)
				}
				if n := norm(param.G); n > 0.1 && math.Abs(got-planted) <= tolerance/10 {
					t.Errorf("%s: a gradient shifted by one goes unnoticed", param.Name)
				}
			}
		})
	}
}

// index returns where the window w begins in the flat array.
func index(flat, w []float32) int {
	for i := range flat {
		if &flat[i] == &w[0] {
			return i
		}
	}
	return -1
}

// slope returns the derivative of the loss along direction, by central
// differences extrapolated (Richardson) from two step widths. The fewer weights
// move, the further they do: else rounding drowns the change.
func slope(t testing.TB, prog *model.Program, b *token.Batch, p *model.Param, direction []float64) float64 {
	var square float64
	for _, d := range direction {
		square += d * d
	}
	return slopeBy(t, prog, b, p, direction, 0.05/math.Sqrt(square))
}

// slopeBy is slope with the narrower of the steps.
func slopeBy(t testing.TB, prog *model.Program, b *token.Batch, p *model.Param, direction []float64, h float64) float64 {
	start := slices.Clone(p.W)
	defer copy(p.W, start)
	at := func(h float64) float64 {
		for i := range p.W {
			p.W[i] = start[i] + float32(h*direction[i])
		}
		return run(t, prog, b, 1, false).Loss
	}
	wide, narrow := (at(2*h)-at(-2*h))/(4*h), (at(h)-at(-h))/(2*h)
	return (4*narrow - wide) / 3
}

// TestSharedPrefix compares a prompt shared by two responses with two separate
// rows: equal outputs and gradients.
func TestSharedPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	p := random(t, small(false))
	shared := preference(rng, 9, 6, 4, 37, false)
	var separate []pack.Example
	for _, r := range shared.Responses {
		e := pack.Example{Row: "single", Norm: 0.5, Prompt: shared.Prompt, Responses: []pack.Run{r}}
		separate = append(separate, e)
	}
	one, two := pack.Batch([]pack.Example{shared}), pack.Batch(separate)
	two.Pairs = one.Pairs // sequences 0 and 1 of both
	if saved := len(two.IDs) - len(one.IDs); saved != 9 {
		t.Fatalf("sharing saves %d tokens, want the prompt's 9", saved)
	}
	a := *run(t, compile(t, p, one, contrast), one, 1, false)
	logpA, seqA, g := slices.Clone(a.LogProb), slices.Clone(a.SeqLogProb), slices.Clone(p.G)
	b := run(t, compile(t, p, two, contrast), two, 1, false)
	if d := difference(logpA, b.LogProb); d > 1e-5 {
		t.Errorf("log-probabilities differ by %v", d)
	}
	if d := difference(seqA, b.SeqLogProb); d > 1e-4 {
		t.Errorf("sequence log-probabilities differ by %v", d)
	}
	if d := difference(g, p.G); d > 1e-5*norm(g) {
		t.Errorf("gradients differ by %v", d)
	}
	// Planted: a response that does not see its prompt is another matter.
	one.Segments[2].Parent = -1
	if c := run(t, compile(t, p, one, contrast), one, 1, false); difference(logpA, c.LogProb) < 1e-3 {
		t.Error("a response cut off from its prompt goes unnoticed")
	}
}

func difference(a, b []float32) (d float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for i := range a {
		d = math.Max(d, math.Abs(float64(a[i]-b[i])))
	}
	return d
}

// TestCapacity runs a small batch in a program for a large one, after a large
// one has left its traces: nothing may change, bit for bit.
func TestCapacity(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	p := random(t, small(true))
	little := pack.Batch([]pack.Example{preference(rng, 4, 3, 2, 37, false)})
	big := pack.Batch([]pack.Example{preference(rng, 20, 12, 9, 37, false), preference(rng, 9, 8, 7, 37, false)})
	want := run(t, compile(t, p, little, contrast), little, 0.5, false).Loss
	g := slices.Clone(p.G)

	prog := compile(t, p, big, contrast)
	run(t, prog, big, 1, false)
	if got := run(t, prog, little, 0.5, false).Loss; got != want || !slices.Equal(g, p.G) {
		t.Errorf("loss %v in a larger program, want %v; gradients differ by %v", got, want, difference(g, p.G))
	}
	if _, err := compile(t, p, little, contrast).Run(big, 1, false); err == nil {
		t.Error("a batch larger than the program ran")
	}
}

// TestThreads computes with several numbers of threads: equal bits.
func TestThreads(t *testing.T) {
	defer kernel.SetThreads(0)
	rng := rand.New(rand.NewPCG(10, 11))
	p := random(t, small(false))
	b := pack.Batch([]pack.Example{preference(rng, 20, 12, 9, 37, false), preference(rng, 9, 8, 7, 37, false)})
	prog := compile(t, p, b, contrast)
	var loss float64
	var g []float32
	for _, threads := range []int{1, 2, 3, 7} {
		kernel.SetThreads(threads)
		got := run(t, prog, b, 1, false).Loss
		if g == nil {
			loss, g = got, slices.Clone(p.G)
		}
		if got != loss || !slices.Equal(g, p.G) {
			t.Errorf("%d threads: loss %v, with one %v; gradients differ by %v", threads, got, loss, difference(g, p.G))
		}
	}
}

// TestAccumulate adds the gradients of two runs.
func TestAccumulate(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 13))
	for _, tied := range []bool{false, true} {
		p := random(t, small(tied))
		b := pack.Batch([]pack.Example{preference(rng, 6, 5, 4, 37, false)})
		prog := compile(t, p, b, contrast)
		run(t, prog, b, 1, false)
		want := slices.Clone(p.G)
		for i := range want {
			want[i] *= 2
		}
		run(t, prog, b, 1, true)
		if d := difference(want, p.G); d > 1e-5*norm(want) {
			t.Errorf("tied %v: gradients of two runs differ from twice those of one by %v", tied, d)
		}
	}
}

func graphLogits(t testing.TB, p *model.Params, b *token.Batch) []float32 {
	t.Helper()
	prog, err := model.CompileForward(p, b.Size(), func(o *model.Outputs) model.Expr { return o.Logits() })
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	return slices.Clone(run(t, prog, b, 1, false).Logits)
}

// TestForwardProgram compares a program without gradients with one that has them.
func TestForwardProgram(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 17))
	p := random(t, small(true))
	b := pack.Batch([]pack.Example{preference(rng, 8, 5, 4, 37, false)})
	training := compile(t, p, b, contrast)
	want := *run(t, training, b, 1, false)
	forward, err := model.CompileForward(p, b.Size(), contrast)
	if err != nil {
		t.Fatal(err)
	}
	defer forward.Close()
	if got := run(t, forward, b, 1, false); got.Loss != want.Loss || !slices.Equal(got.LogProb, want.LogProb) {
		t.Errorf("forward loss %v, training loss %v", got.Loss, want.Loss)
	}
	if forward.Plan.ArenaBytes >= training.Plan.ArenaBytes {
		t.Errorf("forward arena of %d bytes, training arena of %d", forward.Plan.ArenaBytes, training.Plan.ArenaBytes)
	}
}

// TestBadBatches: a batch that would crash a kernel is an error that names the row.
func TestBadBatches(t *testing.T) {
	p := random(t, small(true))
	good := func() *token.Batch { return pack.Batch([]pack.Example{pack.Text("row-7", []token.ID{1, 2, 3, 4})}) }
	prog := compile(t, p, good(), model.CrossEntropy)
	for name, spoil := range map[string]func(*token.Batch){
		"token outside the vocabulary":  func(b *token.Batch) { b.IDs[1] = 37 },
		"negative token":                func(b *token.Batch) { b.IDs[1] = -1 },
		"target outside the vocabulary": func(b *token.Batch) { b.Target[0] = 37 },
		"position beyond the model's":   func(b *token.Batch) { b.Pos[2] = 64 },
		"row that is not there":         func(b *token.Batch) { b.Read[0] = 3 },
		"segments with a hole":          func(b *token.Batch) { b.Segments[0].End-- },
		"parent after the child":        func(b *token.Batch) { b.Segments[0].Parent = 0 },
		"missing weight":                func(b *token.Batch) { b.Weight = b.Weight[1:] },
	} {
		b := good()
		spoil(b)
		if _, err := prog.Run(b, 1, false); err == nil || !strings.Contains(err.Error(), "row-7") {
			t.Errorf("%s: error %v, want one that names row-7", name, err)
		}
	}
	if _, err := prog.Run(good(), 1, false); err != nil {
		t.Errorf("a good batch after bad ones: %v", err)
	}
}

// BenchmarkStep is one training step of the shape that peers are measured at:
// 2,048 tokens of a Llama of 288 x 6.
func BenchmarkStep(b *testing.B) {
	c := model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu",
		VocabSize: 4096, HiddenSize: 288, IntermediateSize: 768, Layers: 6, Heads: 6, KVHeads: 6, HeadDim: 48,
		MaxPositions: 256, RopeTheta: 10000, NormEps: 1e-5, InitRange: 0.02, TiedHead: true,
	}
	p := random(b, c)
	rng := rand.New(rand.NewPCG(1, 1))
	var rows []pack.Example
	for i := range 8 {
		rows = append(rows, pack.Text(fmt.Sprint(i), randomIDs(rng, 257, c.VocabSize)))
	}
	batch := pack.Batch(rows)
	for _, precision := range []kernel.Precision{kernel.FP32, kernel.BF16} {
		b.Run(precision.String(), func(b *testing.B) {
			p.Precision = precision
			prog := compile(b, p, batch, model.CrossEntropy)
			run(b, prog, batch, 1/batch.Norm, false)
			b.ReportAllocs()
			for b.Loop() {
				run(b, prog, batch, 1/batch.Norm, false)
			}
			b.ReportMetric(float64(len(batch.IDs)*b.N)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(prog.Plan.ArenaBytes)/1e6, "arena-MB")
		})
	}
}

// TestMatrices: weight decay applies to all matrices, and to no norm or bias.
func TestMatrices(t *testing.T) {
	p := random(t, qwen(false))
	decays := make([]bool, len(p.W))
	for _, r := range p.Matrices() {
		for i := r.Start; i < r.End; i++ {
			decays[i] = true
		}
	}
	for _, param := range p.Tensors {
		at := index(p.W, param.W)
		want := strings.HasSuffix(param.Name, "_proj.weight") || param == p.Embed || param == p.Head
		for i := range param.W {
			if decays[at+i] != want {
				t.Fatalf("%s: decay is %v at %d", param.Name, decays[at+i], i)
			}
		}
	}
}
