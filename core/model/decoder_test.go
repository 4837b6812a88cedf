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

func newDecoder(t testing.TB, p *model.Params, maxRows int) *model.Decoder {
	t.Helper()
	d, err := model.NewDecoder(p, maxRows)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// cache is the pages of one sequence.
type cache struct {
	d     *model.Decoder
	pages []*kernel.Page
	n     int
}

// next returns the row of the sequence's next token.
func (c *cache) next(id token.ID, want bool) model.Row {
	if c.n == len(c.pages)*kernel.PageTokens {
		c.pages = append(c.pages, c.d.NewPage())
	}
	c.n++
	return model.Row{Pages: c.pages, At: c.n - 1, ID: id, Want: want}
}

// fork returns a sequence that begins alike.
func (c *cache) fork() *cache {
	f := &cache{c.d, slices.Clone(c.pages), c.n}
	if c.n%kernel.PageTokens > 0 {
		last := len(f.pages) - 1
		f.pages[last] = c.d.NewPage()
		f.pages[last].Copy(c.pages[last])
	}
	return f
}

func decode(t testing.TB, c *cache, ids []token.ID) {
	t.Helper()
	rows := make([]model.Row, len(ids))
	for i, id := range ids {
		rows[i] = c.next(id, false)
	}
	step(t, c.d, rows...)
}

func step(t testing.TB, d *model.Decoder, rows ...model.Row) []float32 {
	t.Helper()
	logits, err := d.Step(rows)
	if err != nil {
		t.Fatal(err)
	}
	return logits
}

// TestDecoder compares cached decoding with the training graph's forward pass,
// and a row decoded alone with the same row among others.
func TestDecoder(t *testing.T) {
	for name, c := range map[string]model.Config{"llama": small(false), "qwen2": qwen(false)} {
		t.Run(name, func(t *testing.T) { testDecoder(t, random(t, c)) })
	}
}

func testDecoder(t *testing.T, p *model.Params) {
	rng := rand.New(rand.NewPCG(14, 15))
	vocab := p.Config.VocabSize
	prompt, tails := randomIDs(rng, 11, vocab), [][]token.ID{randomIDs(rng, 6, vocab), randomIDs(rng, 6, vocab)}

	var examples []pack.Example
	for _, tail := range tails {
		examples = append(examples, pack.Text("row", slices.Concat(prompt, tail, []token.ID{0})))
	}
	want := graphLogits(t, p, pack.Batch(examples))
	width := len(prompt) + len(tails[0])

	d := newDecoder(t, p, 32)
	root := &cache{d: d}
	decode(t, root, prompt)
	caches := []*cache{root.fork(), root.fork()}
	alone := root.fork()
	for i := range tails[0] {
		single := slices.Clone(step(t, d, alone.next(tails[1][i], true)))
		both := step(t, d, caches[0].next(tails[0][i], true), caches[1].next(tails[1][i], true))
		if !slices.Equal(single, both[vocab:]) {
			t.Fatalf("token %d: a row's logits depend on the other rows", i)
		}
		for k := range tails {
			at := (k*width + len(prompt) + i) * vocab
			if diff := difference(both[k*vocab:(k+1)*vocab], want[at:at+vocab]); diff > 2e-5 {
				t.Fatalf("token %d of tail %d: logits differ from the graph's by %v", i, k, diff)
			}
		}
	}
	page := []*kernel.Page{d.NewPage()}
	for want, bad := range map[string]model.Row{
		fmt.Sprintf("token id %d is outside", vocab): {Pages: page, ID: token.ID(vocab)},
		"token id -1 is outside":                     {Pages: page, ID: -1},
		"position 32 is outside":                     {Pages: page, At: 32},
		"position -1 is outside":                     {Pages: page, At: -1},
		"positions":                                  {Pages: slices.Repeat(page, 1000), At: p.Config.Context()},
	} {
		if _, err := d.Step([]model.Row{bad}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := d.Step(make([]model.Row, 33)); err == nil {
		t.Error("33 rows where 32 are the most: no error")
	}
}

// TestHidden: the logits are the head's product with the hidden states.
func TestHidden(t *testing.T) {
	p := random(t, small(false))
	d := newDecoder(t, p, 8)
	ids := []token.ID{3, 1, 4, 1, 5}
	rows := func() (list []model.Row) {
		c := &cache{d: d}
		for i, id := range ids {
			list = append(list, c.next(id, i > 2))
		}
		return list
	}
	hidden, err := d.Hidden(rows())
	if err != nil || len(hidden) != 2*p.Config.HiddenSize {
		t.Fatalf("%d numbers, error %v", len(hidden), err)
	}
	want := make([]float32, 2*p.Config.VocabSize)
	kernel.FP32.Linear(want, hidden, p.Head.W, nil, 2, p.Config.HiddenSize, p.Config.VocabSize)
	if got := step(t, d, rows()...); !slices.Equal(got, want) {
		t.Errorf("logits %v, want %v", got, want)
	}
}

// TestDecoderTogether: sequences that share a prompt's cache, decoded in one call
// on several threads, give what each gives alone with the prompt in its own cache,
// bit for bit; and a decoder needs its parameters no more.
func TestDecoderTogether(t *testing.T) {
	defer kernel.SetThreads(0)
	c := small(true)
	c.VocabSize, c.HiddenSize, c.IntermediateSize = 500, 96, 160 // large enough to be split
	rng := rand.New(rand.NewPCG(20, 21))
	prompt, tails := randomIDs(rng, 9, c.VocabSize), make([][]token.ID, 16)
	for i := range tails {
		tails[i] = randomIDs(rng, 3, c.VocabSize)
	}
	all := make(map[kernel.Precision][][]float32)
	for _, precision := range everyPrecision {
		p := random(t, c)
		p.Precision = precision
		kernel.SetThreads(1)
		want := alone(t, newDecoder(t, p, 16), prompt, tails)
		d := newDecoder(t, p, 16)
		for i := range p.W {
			p.W[i] = float32(math.NaN())
		}
		kernel.SetThreads(3)
		for i, got := range together(t, d, prompt, tails) {
			if !slices.Equal(got, want[i]) {
				t.Errorf("%v: sequence %d has other logits than alone", precision, i)
			}
		}
		all[precision] = want
	}
	for _, precision := range []kernel.Precision{kernel.BF16, kernel.INT8} {
		if slices.Equal(all[kernel.FP32][0], all[precision][0]) {
			t.Errorf("%v makes no difference", precision)
		}
	}
}

// alone returns the logits after each token of each tail, one sequence at a time.
func alone(t testing.TB, d *model.Decoder, prompt []token.ID, tails [][]token.ID) [][]float32 {
	all := make([][]float32, len(tails))
	for i, tail := range tails {
		c := &cache{d: d}
		decode(t, c, prompt)
		for _, id := range tail {
			all[i] = append(all[i], step(t, d, c.next(id, true))...)
		}
	}
	return all
}

// together returns the same from a shared prompt and one call for each position.
func together(t testing.TB, d *model.Decoder, prompt []token.ID, tails [][]token.ID) [][]float32 {
	all, rows := make([][]float32, len(tails)), make([]model.Row, len(tails))
	caches := make([]*cache, len(tails))
	root := &cache{d: d}
	decode(t, root, prompt)
	for i := range tails {
		caches[i] = root.fork()
	}
	for k := range tails[0] {
		for i, tail := range tails {
			rows[i] = caches[i].next(tail[k], true)
		}
		logits := step(t, d, rows...)
		vocab := len(logits) / len(rows)
		for i := range all {
			all[i] = append(all[i], logits[i*vocab:][:vocab]...)
		}
	}
	return all
}

// TestDecodingBytes compares with what a decoder allocates.
func TestDecodingBytes(t *testing.T) {
	for _, c := range []model.Config{small(false), small(true), small(true).Reward()} {
		c.VocabSize, c.HiddenSize, c.IntermediateSize = 4000, 320, 640
		p := model.NewParams(c, false)
		for _, p.Precision = range everyPrecision {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			newDecoder(t, p, 1)
			runtime.ReadMemStats(&after)
			got, want := float64(after.TotalAlloc-before.TotalAlloc), float64(c.DecodingBytes(p.Precision))
			if got < want || got > 1.05*want {
				t.Errorf("%v, %v: %.0f bytes allocated, DecodingBytes says %.0f", c.Architectures, p.Precision, got, want)
			}
		}
	}
}

// BenchmarkDecode is one token each of 1 and of 16 sequences, whose prompts are
// shared, at two shapes: a small Llama, and the one of 135M parameters that peers
// are measured at.
func BenchmarkDecode(b *testing.B) {
	tiny, large := small(true), small(true)
	tiny.VocabSize, tiny.HiddenSize, tiny.IntermediateSize, tiny.Layers, tiny.Heads, tiny.KVHeads, tiny.HeadDim = 4096, 288, 768, 6, 6, 6, 48
	large.VocabSize, large.HiddenSize, large.IntermediateSize, large.Layers, large.Heads, large.KVHeads, large.HeadDim = 49152, 576, 1536, 30, 9, 3, 64
	for _, c := range []struct {
		name           string
		config         model.Config
		prompt, tokens int
	}{{"288x6", tiny, 128, 64}, {"576x30", large, 16, 128}} {
		c.config.MaxPositions = c.prompt + c.tokens
		b.Run(c.name, func(b *testing.B) {
			p := model.NewParams(c.config, false)
			p.Init(7)
			for _, p.Precision = range everyPrecision {
				for _, n := range []int{1, 16} {
					b.Run(fmt.Sprintf("%v/batch=%d", p.Precision, n), func(b *testing.B) {
						benchmarkDecode(b, p, n, c.prompt, c.tokens)
					})
				}
			}
		})
	}
}

// benchmarkDecode decodes n sequences at once, again and again.
func benchmarkDecode(b *testing.B, p *model.Params, n, prompt, tokens int) {
	d := newDecoder(b, p, 128)
	root := &cache{d: d}
	decode(b, root, make([]token.ID, prompt))
	rows, caches := make([]model.Row, n), make([]*cache, n)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for k := range rows {
			if i%tokens == 0 {
				caches[k] = root.fork()
			}
			rows[k] = caches[k].next(token.ID(k), true)
		}
		step(b, d, rows...)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "tokens/s")
}
