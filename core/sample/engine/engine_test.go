package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/internal/testmodel"
)

// newModel returns a small model with random weights, which are large enough that its
// predictions differ from token to token.
func newModel(t *testing.T, positions int, change func(*model.Config)) *model.Params {
	t.Helper()
	c := testmodel.Shape{Vocab: 50, Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, Positions: positions, InitRange: 0.4}.Config()
	if change != nil {
		change(&c)
	}
	return testmodel.Random(t, c, 11)
}

func newEngine(t *testing.T, p *model.Params, slots int) *Engine {
	t.Helper()
	return engineOf(t, p, Options{Slots: slots})
}

func engineOf(t *testing.T, p *model.Params, o Options) *Engine {
	t.Helper()
	return New(testmodel.Pack(t, p), nil, o)
}

// generate returns the completions of each request.
func generate(t *testing.T, e *Engine, requests []sample.Request) [][]sample.Completion {
	t.Helper()
	out := make([][]sample.Completion, len(requests))
	err := e.Generate(t.Context(), requests, func(i int, c []sample.Completion) error {
		if out[i] != nil {
			t.Errorf("request %d is answered twice", i)
		}
		out[i] = c
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range out {
		if len(c) != len(requests[i].Seeds) {
			t.Fatalf("request %d has %d completions for %d seeds", i, len(c), len(requests[i].Seeds))
		}
	}
	return out
}

func randomIDs(rng *rand.Rand, n int) []token.ID {
	ids := make([]token.ID, n)
	for i := range ids {
		ids[i] = token.ID(rng.IntN(50))
	}
	return ids
}

func TestGoldenGreedy(t *testing.T) {
	want := readGolden(t).Greedy
	p, err := model.Load("../../model/testdata/tiny_llama", false)
	if err != nil {
		t.Fatal(err)
	}
	r := sample.Request{Prompt: want.Prompt, Seeds: []uint64{1, 2}, Settings: sample.Settings{MaxTokens: len(want.Continuation)}}
	for i, c := range generate(t, newEngine(t, p, 2), []sample.Request{r})[0] {
		if !slices.Equal(c.IDs, want.Continuation) || c.Finish != sample.Length || c.Seed != r.Seeds[i] {
			t.Errorf("completion %+v, want %v", c, want.Continuation)
		}
	}
	t.Run("planted", func(t *testing.T) {
		p.Layers[1].O.W[5] += 0.5
		if c := generate(t, newEngine(t, p, 1), []sample.Request{r}); slices.Equal(c[0][0].IDs, want.Continuation) {
			t.Error("a wrong weight changes nothing")
		}
	})
}

// mixed returns requests of all kinds: short and long prompts, one or several
// seeds, greedy and hot, with and without stop tokens.
func mixed(n int) []sample.Request {
	rng := rand.New(rand.NewPCG(3, 4))
	list := make([]sample.Request, n)
	for i := range list {
		r := sample.Request{Prompt: randomIDs(rng, 1+rng.IntN(20)), Settings: sample.Settings{MaxTokens: 1 + rng.IntN(12)}}
		if i%5 == 4 {
			r.Prompt = randomIDs(rng, prefillRows-1+rng.IntN(200))
		}
		for range 1 + rng.IntN(4) {
			r.Seeds = append(r.Seeds, uint64(rng.IntN(100)))
		}
		if i%3 > 0 {
			r.Temperature, r.TopP, r.TopK = 0.5+rng.Float64(), float64(i%2)*0.9, rng.IntN(2)*20
		}
		if i%4 == 0 {
			r.Stop = randomIDs(rng, 10)
		}
		list[i] = r
	}
	return list
}

// TestIndependent checks that the completions of a request depend only on the request,
// bit for bit.
func TestIndependent(t *testing.T) {
	p := newModel(t, 600, nil)
	requests := mixed(12)
	want := make([][]sample.Completion, len(requests))
	stopped := 0
	for i, r := range requests {
		want[i] = generate(t, newEngine(t, p, 1), []sample.Request{r})[0]
		for _, c := range want[i] {
			stopped += strings.Count(c.Finish, sample.Stop)
		}
	}
	if stopped == 0 {
		t.Error("no completion ends with a stop token")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, slots := range []int{2, 5, 64} {
		order := rng.Perm(len(requests))[:6+rng.IntN(6)]
		var some []sample.Request
		for _, i := range order {
			some = append(some, requests[i])
		}
		e := newEngine(t, p, slots)
		for again := range 2 {
			for k, got := range generate(t, e, some) {
				if diff := cmp.Diff(want[order[k]], got); diff != "" {
					t.Errorf("%d slots, call %d, request %d (-alone +among others):\n%s", slots, again, order[k], diff)
				}
			}
		}
	}
}

// TestSeeds checks that the samples of one request equal those of requests with one seed
// each, that equal seeds give equal completions, and that other seeds give others.
func TestSeeds(t *testing.T) {
	p := newModel(t, 600, nil)
	prompt := randomIDs(rand.New(rand.NewPCG(8, 8)), 300)
	r := sample.Request{Prompt: prompt, Seeds: []uint64{4, 5, 4, 1 << 63}, Settings: sample.Settings{Temperature: 1, MaxTokens: 8}}
	together := generate(t, newEngine(t, p, 3), []sample.Request{r})[0]
	var alone []sample.Completion
	for _, seed := range r.Seeds {
		one := r
		one.Seeds = []uint64{seed}
		alone = append(alone, generate(t, newEngine(t, p, 1), []sample.Request{one})[0]...)
	}
	if diff := cmp.Diff(alone, together); diff != "" {
		t.Errorf("(-alone +together):\n%s", diff)
	}
	if !cmp.Equal(together[0], together[2]) || cmp.Equal(together[0].IDs, together[1].IDs) {
		t.Errorf("completions of seeds %v: %v", r.Seeds, together)
	}
}

// TestLogProb compares the log-probabilities of completions, which come from the
// decoder's cache, with those of the training graph.
func TestLogProb(t *testing.T) {
	p := newModel(t, 600, nil)
	requests := mixed(10)
	var examples []pack.Example
	var got []float64
	for i, list := range generate(t, newEngine(t, p, 8), requests) {
		for _, c := range list {
			if c.Finish == sample.Stop {
				continue // the completion does not say which stop token ended it
			}
			e := pack.Example{Prompt: pack.Run{IDs: requests[i].Prompt}}
			e.Responses = []pack.Run{{IDs: c.IDs, SeqWeight: slices.Repeat([]float32{1}, len(c.IDs))}}
			examples, got = append(examples, e), append(got, c.LogProb)
		}
	}
	want, err := score.Sequences(t.Context(), p, examples, score.MicroTokens)
	if err != nil {
		t.Fatal(err)
	}
	differ := func(shift float64) (n int) {
		for i := range got {
			if math.Abs(got[i]+shift-want[i][0]) > 1e-4 {
				n++
			}
		}
		return n
	}
	if n := differ(0); n > 0 || len(got) < 10 {
		t.Errorf("%d of %d log-probabilities differ: %v, want %v", n, len(got), got, want)
	}
	if differ(1e-3) != len(got) {
		t.Error("planted: log-probabilities that are off by 0.001 pass")
	}
}

// TestStop makes each token of a completion its stop token in turn.
func TestStop(t *testing.T) {
	p := newModel(t, 600, nil)
	e := newEngine(t, p, 1)
	r := sample.Request{Prompt: []token.ID{3, 1, 4}, Seeds: []uint64{9}, Settings: sample.Settings{Temperature: 1, MaxTokens: 12}}
	whole := generate(t, e, []sample.Request{r})[0][0]
	if len(whole.IDs) != 12 || whole.Finish != sample.Length {
		t.Fatalf("completion %+v", whole)
	}
	for i, id := range whole.IDs {
		if slices.Contains(whole.IDs[:i], id) {
			continue
		}
		r.Stop = []token.ID{id}
		c := generate(t, e, []sample.Request{r})[0][0]
		if !slices.Equal(c.IDs, whole.IDs[:i]) || c.Finish != sample.Stop {
			t.Errorf("stopped at %d: %+v, want %v", id, c, whole.IDs[:i])
		}
		// The log-probability includes the stop token.
		short := r
		short.Stop, short.MaxTokens = nil, i+1
		if want := generate(t, e, []sample.Request{short})[0][0].LogProb; c.LogProb != want {
			t.Errorf("stopped at %d: log-probability %v, want %v", id, c.LogProb, want)
		}
	}
}

// TestLastPosition checks that prompt and completion can fill the model's positions.
func TestLastPosition(t *testing.T) {
	const positions = 20
	e := newEngine(t, newModel(t, positions, nil), 4)
	rng := rand.New(rand.NewPCG(2, 2))
	for n := 1; n < positions; n++ {
		r := sample.Request{Prompt: randomIDs(rng, n), Seeds: []uint64{1, 2}, Settings: sample.Settings{Temperature: 1, MaxTokens: 15}}
		for _, c := range generate(t, e, []sample.Request{r})[0] {
			if want := min(15, positions-n); len(c.IDs) != want || c.Finish != sample.Length {
				t.Errorf("after %d tokens: %d tokens, finish %q, want %d", n, len(c.IDs), c.Finish, want)
			}
		}
	}
}

func TestStream(t *testing.T) {
	e := newEngine(t, newModel(t, 100, nil), 4)
	var streamed [3][]token.ID
	requests := make([]sample.Request, len(streamed))
	for i := range requests {
		requests[i] = sample.Request{
			Prompt: []token.ID{token.ID(i)}, Seeds: []uint64{uint64(i)}, Stop: []token.ID{1, 2, 3, 4, 5, 6},
			Stream: func(_ int, d sample.Delta) {
				for _, drawn := range d.Tokens {
					streamed[i] = append(streamed[i], drawn.ID)
				}
			},
			Settings: sample.Settings{Temperature: 1, MaxTokens: 30},
		}
	}
	for i, c := range generate(t, e, requests) {
		if !slices.Equal(streamed[i], c[0].IDs) {
			t.Errorf("streamed %v, completion %v", streamed[i], c[0].IDs)
		}
	}
}

func TestGenerateErrors(t *testing.T) {
	p := newModel(t, 20, nil)
	good := sample.Request{Prompt: []token.ID{1, 2}, Seeds: []uint64{1}, Settings: sample.Settings{MaxTokens: 3}}
	for want, spoil := range map[string]func(*sample.Request){
		"the prompt is empty":                      func(r *sample.Request) { r.Prompt = nil },
		"the request has no seeds":                 func(r *sample.Request) { r.Seeds = nil },
		"max_tokens is 0":                          func(r *sample.Request) { r.MaxTokens = 0 },
		"top_p is 2":                               func(r *sample.Request) { r.TopP = 2 },
		"the prompt has 20 tokens":                 func(r *sample.Request) { r.Prompt = make([]token.ID, 20) },
		"token id 50 is outside the vocabulary":    func(r *sample.Request) { r.Prompt = []token.ID{50} },
		"there are stop strings, but no tokenizer": func(r *sample.Request) { r.StopStrings = []string{"x"} },
		"stop[1] is empty":                         func(r *sample.Request) { r.StopStrings = []string{"x", ""} },
		"min_p is -1":                              func(r *sample.Request) { r.MinP = -1 },
	} {
		bad := good
		spoil(&bad)
		err := newEngine(t, p, 4).Generate(t.Context(), []sample.Request{good, bad}, func(int, []sample.Completion) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "sample: request 1: ") {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestUnfitModels(t *testing.T) {
	r := sample.Request{Prompt: []token.ID{1, 2}, Seeds: []uint64{1}, Settings: sample.Settings{MaxTokens: 3}}
	attempt := func(p *model.Params) error {
		return newEngine(t, p, 4).Generate(t.Context(), []sample.Request{r}, func(int, []sample.Completion) error { return nil })
	}
	reward := newModel(t, 20, func(c *model.Config) { *c = c.Reward() })
	if err := attempt(reward); err == nil || !strings.Contains(err.Error(), "is a reward model") {
		t.Errorf("error %v", err)
	}
	broken := newModel(t, 20, nil)
	broken.Norm.W[0] = float32(math.NaN())
	if err := attempt(broken); err == nil || !strings.Contains(err.Error(), "request 0: the model's logits are not finite") {
		t.Errorf("error %v", err)
	}
}

// TestNoSlots checks that an engine without a number of slots has some.
func TestNoSlots(t *testing.T) {
	r := sample.Request{Prompt: []token.ID{1}, Seeds: []uint64{1, 2}, Settings: sample.Settings{MaxTokens: 3}}
	if c := generate(t, newEngine(t, newModel(t, 20, nil), 0), []sample.Request{r}); len(c[0][1].IDs) != 3 {
		t.Errorf("completions %v", c)
	}
}

func TestCancel(t *testing.T) {
	e := newEngine(t, newModel(t, 100, nil), 2)
	requests := make([]sample.Request, 20)
	for i := range requests {
		requests[i] = sample.Request{Prompt: []token.ID{1}, Seeds: []uint64{uint64(i)}, Settings: sample.Settings{Temperature: 1, MaxTokens: 5}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	err := e.Generate(ctx, requests, func(int, []sample.Completion) error {
		done++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || done > 2 {
		t.Errorf("error %v after %d requests", err, done)
	}
	// An error from the caller ends the work at once, too.
	full := fmt.Errorf("disk full")
	done = 0
	err = e.Generate(t.Context(), requests, func(int, []sample.Completion) error {
		done++
		return full
	})
	if !errors.Is(err, full) || done != 1 {
		t.Errorf("error %v after %d requests", err, done)
	}
	// The engine still works.
	if c := generate(t, e, requests); len(c[19][0].IDs) != 5 {
		t.Errorf("completion %v", c[19])
	}
}
