package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/testmodel"
)

// echo answers each seed of a request with a text that names the prompt and the seed.
func echo(w http.ResponseWriter, b sent) {
	var answers []string
	for k := b.N - 1; k >= 0; k-- { // out of order
		answers = append(answers, fmt.Sprintf(`{"index":%d,"text":"%v seed %d+%d","finish_reason":"stop"}`, k, b.Prompt, b.Seed, k))
	}
	fmt.Fprintf(w, `{"choices":[%s]}`, strings.Join(answers, ","))
}

// sent is the part of a request that the server reads.
type sent struct {
	Model       string
	Prompt      any
	Messages    []chat.Message
	Seed        uint64
	N           int
	MaxTokens   int `json:"max_tokens"`
	Temperature float64
	TopP        float64    `json:"top_p"`
	TopK        *int       `json:"top_k"`
	Stop        []string   `json:"stop"`
	StopIDs     []token.ID `json:"stop_token_ids"`
}

// reads passes the decoded request to a handler.
func reads(t *testing.T, s *script, answer func(http.ResponseWriter, sent)) {
	s.steps = []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		last := s.bodies[len(s.bodies)-1]
		s.mu.Unlock()
		var b sent
		if err := json.Unmarshal([]byte(last), &b); err != nil {
			t.Error(err)
		}
		answer(w, b)
	}}
}

// TestGenerate checks that each request gets its own completions in the order of its
// seeds, that calls of done do not overlap, and that concurrency stays within the limit.
func TestGenerate(t *testing.T) {
	noLeak(t)
	for _, n := range []int{1, 2, 5} {
		var running, most, inDone atomic.Int32
		s := newScript(t)
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			raise(&most, running.Add(1))
			defer running.Add(-1)
			time.Sleep(time.Millisecond)
			var b sent
			if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
				t.Error(err)
			}
			echo(w, b)
		})
		e, _ := engineOf(t, s, func(s *Settings) { s.N, s.Concurrency = n, 3 })
		var requests []sample.Request
		for i := range 40 {
			r := asking(10, 20, 30, 40, 50)
			r.Prompt = []token.ID{token.ID(i)}
			requests = append(requests, r)
		}
		got := map[int][]sample.Completion{}
		err := e.Generate(t.Context(), requests, func(i int, c []sample.Completion) error {
			if inDone.Add(1) > 1 || got[i] != nil {
				t.Error("done is called twice, or by two goroutines")
			}
			got[i] = c
			inDone.Add(-1)
			return nil
		})
		if err != nil || len(got) != len(requests) {
			t.Fatalf("n %d: %d requests done, error %v", n, len(got), err)
		}
		for i, completions := range got {
			for k, c := range completions {
				first := k / n * n
				if want := fmt.Sprintf("[%d] seed %d+%d", i, 10*(first+1), k-first); c.Text != want || c.Seed != requests[i].Seeds[k] {
					t.Errorf("n %d: request %d: completion %d is %q of seed %d, expected %q", n, i, k, c.Text, c.Seed, want)
				}
			}
		}
		if most.Load() > 3 || most.Load() < 2 {
			t.Errorf("n %d: %d requests at once, 3 are allowed", n, most.Load())
		}
	}
}

// TestFailureLosesNothing lets one request fail permanently. Generate must pass those in
// progress to done, and start no other.
func TestFailureLosesNothing(t *testing.T) {
	noLeak(t)
	failed := make(chan struct{})
	s := newScript(t)
	reads(t, s, func(w http.ResponseWriter, b sent) {
		if b.Seed == 3 {
			w.WriteHeader(400)
			close(failed)
			return
		}
		<-failed
		time.Sleep(20 * time.Millisecond)
		echo(w, b)
	})
	e, _ := engineOf(t, s, func(s *Settings) { s.Concurrency = 4 })
	var requests []sample.Request
	for seed := range uint64(200) {
		requests = append(requests, asking(seed+1))
	}
	got, err := generate(t.Context(), e, requests...)
	if err == nil || !strings.Contains(err.Error(), "request 2, seed 3: POST") {
		t.Errorf("error %v", err)
	}
	if len(got[0]) != 1 || len(got[1]) != 1 || len(got[3]) != 1 || len(got) > 100 {
		t.Errorf("done had %d requests: %v", len(got), got)
	}
}

// TestDoneFails checks that an error of done ends requests that hang, and calls of done.
func TestDoneFails(t *testing.T) {
	noLeak(t)
	full := errors.New("disk is full")
	s := newScript(t, fine, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	e, _ := engineOf(t, s, func(s *Settings) { s.Concurrency = 2 })
	err := e.Generate(t.Context(), []sample.Request{asking(1), asking(2), asking(3)}, func(int, []sample.Completion) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	// Two requests have completed; done fails for the first:
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	g := &generation{cancel: cancel, done: func(int, []sample.Completion) error { calls++; return full }}
	g.arrived(ctx, &pending{open: 1}, 1)
	g.arrived(ctx, &pending{open: 1}, 1)
	if calls != 1 || !errors.Is(g.err, full) {
		t.Errorf("%d calls, error %v", calls, g.err)
	}
}

// TestConcurrencyIsShared checks that several callers together keep to the limit.
func TestConcurrencyIsShared(t *testing.T) {
	var running, most atomic.Int32
	s := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		defer running.Add(-1)
		raise(&most, running.Add(1))
		time.Sleep(2 * time.Millisecond)
		fine(w, r)
	})
	e, _ := engineOf(t, s, func(s *Settings) { s.Concurrency = 2 })
	var callers sync.WaitGroup
	for range 5 {
		callers.Go(func() {
			if got, err := generate(t.Context(), e, asking(1), asking(2), asking(3)); err != nil || len(got) != 3 {
				t.Errorf("got %v, error %v", got, err)
			}
		})
	}
	callers.Wait()
	if most.Load() > 2 {
		t.Errorf("%d requests at once, 2 are allowed", most.Load())
	}
}

// raise sets most to n if it is less.
func raise(most *atomic.Int32, n int32) {
	for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
	}
}

func TestNothingToAsk(t *testing.T) {
	s := newScript(t, fine)
	e, _ := engineOf(t, s, nil)
	if got, err := generate(t.Context(), e); err != nil || len(got) > 0 {
		t.Errorf("no requests: %v, error %v", got, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := generate(ended, e, asking(7)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended before it began: %v", err)
	}
	for want, r := range map[string]sample.Request{
		"the request has no seeds": asking(),
		"the prompt is empty":      {Seeds: []uint64{1}, Messages: []chat.Message{{}}, Settings: asking().Settings},
		"max_tokens is 0":          {Prompt: []token.ID{1}, Seeds: []uint64{1}},
	} {
		e.settings.Prompt = IDs
		if _, err := generate(t.Context(), e, r); err == nil || !strings.Contains(err.Error(), "remote: request 0: "+want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	e.settings.Prompt = Chat
	if _, err := generate(t.Context(), e, asking(7)); err == nil || !strings.Contains(err.Error(), "no messages") {
		t.Errorf("a chat without messages: %v", err)
	}
	if len(s.bodies) > 0 {
		t.Errorf("the server was asked %q", s.bodies)
	}
}

// TestBodies checks the JSON that herd sends, for each form of prompt.
func TestBodies(t *testing.T) {
	tok, err := tokenizer.Train(slices.Values([]string{"a goat and a sheep"}), tokenizer.TrainSettings{VocabSize: 270})
	if err != nil {
		t.Fatal(err)
	}
	r := sample.Request{
		Prompt: append([]token.ID{tok.BOS()}, tok.Encode("goat")...), Messages: []chat.Message{{Role: "user", Content: "goat"}},
		Seeds: []uint64{5}, Stop: []token.ID{2}, Detail: true, Top: 3,
		Settings: sample.Settings{Temperature: 0.5, TopP: 0.9, TopK: 7, MinP: 0.1, Repetition: 1.5, Presence: 1, Frequency: 2, MaxTokens: 9, StopStrings: []string{"x"}},
	}
	ids, err := json.Marshal(r.Prompt)
	if err != nil {
		t.Fatal(err)
	}
	const middle = `"max_tokens":9,"temperature":0.5,"top_p":0.9,"presence_penalty":1,"frequency_penalty":2,"seed":5,"n":1,"stop":["x"],`
	const extra = `"top_k":7,"min_p":0.1,"repetition_penalty":1.5,"repeat_penalty":1.5,`
	const streamed = `"return_tokens_as_token_ids":true}`
	for _, c := range []struct {
		settings Settings
		want     string
	}{
		{Settings{}, `{"model":"goat","prompt":` + string(ids) + `,` + middle + `"logprobs":3,` + extra + `"stop_token_ids":[2],` + streamed},
		{Settings{Prompt: Text, NoLogProb: true}, `{"model":"goat","prompt":"goat",` + middle + extra + `"stop_token_ids":[2],"return_token_ids":true}`},
		{Settings{Prompt: Chat}, `{"model":"goat","messages":[{"role":"user","content":"goat"}],` + middle + `"logprobs":true,"top_logprobs":3,` + extra + streamed},
	} {
		c.settings.URL, c.settings.Model = "http://localhost", "goat"
		e, err := New(c.settings, tok)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.body(r, r.Seeds)
		if err != nil || string(got) != c.want {
			t.Errorf("error %v, diff (-want +got):\n%s", err, cmp.Diff(c.want, string(got)))
		}
	}
	plain := asking(5)
	e, err := New(Settings{URL: "http://localhost", Model: "goat", Standard: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.body(plain, plain.Seeds)
	want := `{"model":"goat","prompt":[1,2,3],"max_tokens":5,"temperature":1,"top_p":1,"seed":5,"n":1,"logprobs":1}`
	if err != nil || string(got) != want {
		t.Errorf("standard: %s, error %v", got, err)
	}
	if err := e.check(r); err == nil || !strings.Contains(err.Error(), "not in OpenAI's API") {
		t.Errorf("standard with top_k: %v", err)
	}
	e.settings.Standard = false
	got, err = e.body(plain, plain.Seeds)
	if err != nil || !strings.Contains(string(got), `"top_k":-1,"min_p":0,"repetition_penalty":1,"return_tokens_as_token_ids":true}`) {
		t.Errorf("what is off is not said to be off: %s, error %v", got, err)
	}
}

// TestSeeds checks that seeds that fit stay, and that others are folded with all their
// bits.
func TestSeeds(t *testing.T) {
	for _, bits := range []int{0, 1, 31, 32, 53, 63, 64} {
		s := Settings{SeedBits: bits}
		if bits == 0 {
			bits = 31
		}
		for _, seed := range []uint64{0, 1, 1<<bits - 1} {
			if got := s.seed(seed); got != seed {
				t.Errorf("%d bits: seed %d became %d", bits, seed, got)
			}
		}
		if got := s.seed(1<<31 | 1<<40 | 1); bits == 31 && got != 1<<9 {
			t.Errorf("seed %d became %d", uint64(1<<31|1<<40|1), got)
		}
		for bit := range 64 {
			if got := s.seed(1 << bit); got == 0 || bits < 64 && got >= 1<<bits {
				t.Errorf("%d bits: seed 2^%d became %d", bits, bit, got)
			}
		}
	}
}

// TestStream checks that each completion is streamed as one delta.
func TestStream(t *testing.T) {
	s := newScript(t)
	reads(t, s, echo)
	e, _ := engineOf(t, s, nil)
	r := asking(1, 2)
	streamed := make([]sample.Delta, 2)
	r.Stream = func(k int, d sample.Delta) { streamed[k] = d }
	if _, err := generate(t.Context(), e, r); err != nil {
		t.Fatal(err)
	}
	for k, d := range streamed {
		if want := fmt.Sprintf("[1 2 3] seed %d+0", k+1); d.Text != want || d.Finish != sample.Stop {
			t.Errorf("stream %d: %+v, expected %q", k, d, want)
		}
	}
}

// TestEqualsLocal serves a local engine over HTTP, and compares its completions with those
// that arrive.
func TestEqualsLocal(t *testing.T) {
	tok := testmodel.Tokenizer(t, 270, "What is it? It is a goat.")
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 8, Intermediate: 16, Layers: 1, Heads: 2, Positions: 64, InitRange: 0.3, Tied: true}.Config()
	local := engine.New(testmodel.Pack(t, testmodel.Random(t, c, 5)), tok, engine.Options{})
	s := newScript(t)
	s.Config.Handler = peer(t, local)
	e, err := New(Settings{URL: s.URL, Model: "goat", SeedBits: 64, Limits: Limits{Concurrency: 4}}, tok)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	var requests []sample.Request
	for i := range 8 {
		requests = append(requests, sample.Request{
			Prompt: tok.Prompt(fmt.Sprintf("What is %d?", i)), Seeds: []uint64{uint64(i), 1<<64 - 1, 1 << 40},
			Stop: []token.ID{tok.EOS(), 7, 200, 201, 202, 203}, Settings: sample.Settings{Temperature: 1, MaxTokens: 20},
		})
	}
	got, err := generate(t.Context(), e, requests...)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int][]sample.Completion{}
	if err := local.Generate(t.Context(), requests, func(i int, c []sample.Completion) error {
		for k := range c {
			c[k].Text = strings.ToValidUTF8(c[k].Text, "\uFFFD") // as in JSON
		}
		want[i] = c
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	near := cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }) // the order of summation differs
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-local +remote):\n%s", diff)
	}
}

// peer answers as vLLM does: the tokens include the stop token.
func peer(t *testing.T, local *engine.Engine) http.HandlerFunc {
	type logProbs struct {
		Values []float64 `json:"token_logprobs"`
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var b struct {
			Prompt      []token.ID
			Seed        uint64
			Temperature float64
			MaxTokens   int        `json:"max_tokens"`
			Stop        []token.ID `json:"stop_token_ids"`
		}
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			t.Error(err)
		}
		c, err := local.Complete(r.Context(), sample.Request{
			Prompt: b.Prompt, Seeds: []uint64{b.Seed}, Stop: b.Stop, Detail: true,
			Settings: sample.Settings{Temperature: b.Temperature, MaxTokens: b.MaxTokens},
		})
		if err != nil {
			t.Error(err)
			return
		}
		var values []float64
		rest := c[0].LogProb
		for _, t := range c[0].Tokens {
			values = append(values, t.LogProb)
			rest -= t.LogProb
		}
		ids := c[0].IDs
		if c[0].Finish == sample.Stop {
			ids, values = append(slices.Clone(ids), b.Stop[0]), append(values, rest)
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{
			"index": 0, "text": strings.ToValidUTF8(c[0].Text, "\uFFFD"), "finish_reason": c[0].Finish, "token_ids": ids, "logprobs": logProbs{values},
		}}}); err != nil {
			t.Error(err)
		}
	}
}
