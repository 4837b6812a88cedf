package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// thousand returns requests for 1,000 samples. Some prompts occur again, most begin with
// one of two system prompts, some are shorter than a page, and some are long.
func thousand() (list []sample.Request) {
	rng := rand.New(rand.NewPCG(9, 9))
	systems := [][]token.ID{randomIDs(rng, 70), randomIDs(rng, 32), nil}
	for samples := 0; samples < 1000; {
		r := sample.Request{Settings: sample.Settings{Temperature: 1, MaxTokens: 1 + rng.IntN(40)}}
		r.Prompt = append(slices.Clone(systems[rng.IntN(3)]), randomIDs(rng, 1+rng.IntN(50))...)
		if len(list) > 0 && rng.IntN(6) == 0 {
			r.Prompt = list[rng.IntN(len(list))].Prompt
		}
		switch rng.IntN(4) {
		case 0:
			r.TopP = 0.9
		case 1:
			r.TopK, r.MinP = 10, 0.05
		case 2:
			r.Repetition, r.Frequency = 1.2, 0.3
		}
		if rng.IntN(3) == 0 {
			r.Stop = randomIDs(rng, 2)
		}
		for range min(1000-samples, 1+rng.IntN(30)) {
			r.Seeds = append(r.Seeds, rng.Uint64())
		}
		samples += len(r.Seeds)
		list = append(list, r)
	}
	return list
}

// TestThousandSamples checks that a sample is bit-equal to the same sample computed alone,
// whatever the engine shares, batches, preempts or splits over threads.
func TestThousandSamples(t *testing.T) {
	defer kernel.SetThreads(0)
	p := newModel(t, 200, nil)
	requests := thousand()
	kernel.SetThreads(1)
	alone := engineOf(t, p, Options{Slots: 1, Unshared: true})
	want := make([][]sample.Completion, len(requests))
	for i, r := range requests {
		for _, seed := range r.Seeds { // one request for each sample, which computes its own prompt
			one := r
			one.Seeds = []uint64{seed}
			want[i] = append(want[i], generate(t, alone, []sample.Request{one})[0]...)
		}
	}
	if s := alone.Stats(); s.SharedTokens != 0 || s.Preempted != 0 {
		t.Errorf("alone: %+v", s)
	}
	page := alone.scheduler.decoder.PageBytes()
	for _, c := range []struct {
		name    string
		threads int
		Options
	}{
		{"batched", 1, Options{Slots: 64}},
		{"threads", 3, Options{Slots: 64}},
		{"few slots", 2, Options{Slots: 3}},
		{"unshared", 2, Options{Slots: 64, Unshared: true}},
		{"little memory", 2, Options{Slots: 64, Memory: 15 * page}},
		{"very little memory", 2, Options{Slots: 64, Memory: 7 * page}},
	} {
		t.Run(c.name, func(t *testing.T) {
			kernel.SetThreads(c.threads)
			e := engineOf(t, p, c.Options)
			for i, got := range generate(t, e, requests) {
				if diff := cmp.Diff(want[i], got); diff != "" {
					t.Fatalf("request %d (-alone +here):\n%s", i, diff)
				}
			}
			s := e.Stats()
			if s.CacheBytes != 0 || s.Running != 0 || s.Waiting != 0 {
				t.Errorf("at the end: %+v", s)
			}
			if tight := c.Memory > 0; tight != (s.Preempted > 0) {
				t.Errorf("preempted %d times", s.Preempted)
			}
			if c.Unshared != (s.SharedTokens == 0) {
				t.Errorf("%d of %d tokens were found in the cache", s.SharedTokens, s.PromptTokens)
			}
		})
	}
}

// TestConcurrentCallers checks that callers get what they would get alone, while other
// callers come and cancel.
func TestConcurrentCallers(t *testing.T) {
	p := newModel(t, 200, nil)
	requests := thousand()[:24]
	want := generate(t, newEngine(t, p, 1), requests)
	e := engineOf(t, p, Options{Slots: 8, Memory: 30 * newEngine(t, p, 1).scheduler.decoder.PageBytes()})
	var wait sync.WaitGroup
	for i, r := range requests {
		wait.Go(func() {
			got, err := e.Complete(t.Context(), r)
			if err != nil || !cmp.Equal(want[i], got) {
				t.Errorf("request %d: error %v, or other completions than alone", i, err)
			}
		})
		wait.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			impatient, n := r, 0
			impatient.Stream = func(int, sample.Delta) {
				if n++; n == 3 {
					cancel()
				}
			}
			impatient.Seeds = r.Seeds[:1]
			if _, err := e.Complete(ctx, impatient); err != nil && ctx.Err() == nil {
				t.Errorf("request %d: error %v", i, err)
			}
			cancel()
		})
	}
	wait.Wait()
	if s := e.Stats(); s.CacheBytes != 0 || s.Running != 0 || s.Waiting != 0 {
		t.Errorf("at the end: %+v", s)
	}
}

// TestSharing checks how many tokens the engine computes: a prompt once for all its
// samples, a common beginning once for all prompts, and of a conversation only the last
// turn.
func TestSharing(t *testing.T) {
	p := newModel(t, 600, nil)
	e := newEngine(t, p, 16)
	rng := rand.New(rand.NewPCG(3, 3))
	system := randomIDs(rng, 4*kernel.PageTokens)
	ask := func(prompt []token.ID, n int) []sample.Completion {
		r := sample.Request{Prompt: prompt, Seeds: make([]uint64, n), Settings: sample.Settings{Temperature: 1, MaxTokens: kernel.PageTokens}}
		return generate(t, e, []sample.Request{r})[0]
	}
	shared := func(what string, want int, f func()) {
		t.Helper()
		before := e.Stats().SharedTokens
		f()
		if got := e.Stats().SharedTokens - before; got != uint64(want) {
			t.Errorf("%s: %d tokens were found in the cache, want %d", what, got, want)
		}
	}
	first := slices.Concat(system, randomIDs(rng, 50))
	var answer []sample.Completion
	shared("a first prompt", 0, func() { answer = ask(first, 1) })
	shared("another behind the same system prompt", len(system), func() { ask(slices.Concat(system, randomIDs(rng, 50)), 1) })
	next := slices.Concat(first, answer[0].IDs, randomIDs(rng, 20))
	shared("the next turn", (len(first)+kernel.PageTokens-1)/kernel.PageTokens*kernel.PageTokens, func() { ask(next, 1) })
	rows := e.scheduler.computed
	ask(randomIDs(rng, 100), 16)
	if got, want := e.scheduler.computed-rows, uint64(100+16*(kernel.PageTokens-1)); got != want {
		t.Errorf("16 samples of a prompt of 100 tokens computed %d tokens, want %d", got, want)
	}
}

// TestMemoryTooSmall checks the error of a request that can never fit into memory.
func TestMemoryTooSmall(t *testing.T) {
	p := newModel(t, 600, nil)
	page := newEngine(t, p, 1).scheduler.decoder.PageBytes()
	e := engineOf(t, p, Options{Memory: 3 * page})
	r := sample.Request{Prompt: make([]token.ID, 60), Seeds: []uint64{1, 2}, Settings: sample.Settings{Temperature: 1, MaxTokens: 36}}
	if got := generate(t, e, []sample.Request{r}); len(got[0][1].IDs) != 36 || e.Longest() != 96 {
		t.Errorf("completion %+v, longest %d", got[0][1], e.Longest())
	}
	r.MaxTokens++
	want := fmt.Sprintf("sample: request 0: the prompt and its answer may take 97 tokens, the memory for keys and values (%s) holds 96: lower max_tokens or allow more memory", memory.Bytes(3*page))
	if err := e.Generate(t.Context(), []sample.Request{r}, nil); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestEmbed compares the mean hidden state with the logits that follow it.
func TestEmbed(t *testing.T) {
	p := newModel(t, 600, nil)
	e := newEngine(t, p, 2)
	ids := randomIDs(rand.New(rand.NewPCG(3, 4)), 300)
	got, err := e.Embed(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	prefix, err := e.Embed(t.Context(), ids[:299])
	if err != nil {
		t.Fatal(err)
	}
	// The last token's hidden state is the difference of the two sums. The model's head
	// makes the logits of a greedy draw of it.
	last := make([]float32, len(got))
	for i := range last {
		last[i] = 300*got[i] - 299*prefix[i]
	}
	logits := make([]float32, p.Config.VocabSize)
	kernel.FP32.Linear(logits, last, p.Head.W, nil, 1, len(last), len(logits))
	r := sample.Request{Prompt: ids, Seeds: []uint64{0}, Detail: true, Top: 50, Settings: sample.Settings{MaxTokens: 1}}
	for _, a := range generate(t, e, []sample.Request{r})[0][0].Tokens[0].Top[1:] {
		first := generate(t, e, []sample.Request{r})[0][0].Tokens[0].Top[0]
		want := float64(logits[first.ID] - logits[a.ID])
		if d := first.LogProb - a.LogProb - want; d > 2e-3 || d < -2e-3 {
			t.Fatalf("token %d: log-probability lower by %v, by its hidden state %v", a.ID, first.LogProb-a.LogProb, want)
		}
	}
}
