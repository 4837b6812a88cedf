package remote

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// secret is a key that may appear only in the header.
const secret = "sk-Zq7SECRETxyz"

// script is a server that answers its n-th request with the n-th handler, and later
// requests with the last one. It records the requests.
type script struct {
	*httptest.Server
	steps []http.HandlerFunc

	mu      sync.Mutex
	bodies  []string
	headers []http.Header
	paths   []string
}

func newScript(t *testing.T, steps ...http.HandlerFunc) *script {
	t.Helper()
	s := &script{steps: steps}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	step := s.steps[min(len(s.bodies), len(s.steps)-1)]
	s.bodies = append(s.bodies, string(body))
	s.headers = append(s.headers, r.Header)
	s.paths = append(s.paths, r.URL.Path)
	s.mu.Unlock()
	step(w, r)
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// fine is a completion.
var fine = says(200, `{"choices":[{"index":0,"text":" goat","finish_reason":"stop"}]}`)

// cuts closes the connection in the middle of the answer.
func cuts(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"choices":[{"index":0,"te`)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// fakeClock advances by each wait at once.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	pauses []time.Duration
}

// use makes c wait on the fake clock, with the longest jitter.
func (f *fakeClock) use(c *client) {
	f.now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	c.clock = clock{
		now: func() time.Time {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.now
		},
		wait: func(ctx context.Context, d time.Duration) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.now = f.now.Add(d)
			f.pauses = append(f.pauses, d)
			return ctx.Err()
		},
		random: func() float64 { return 1 },
	}
}

// engineOf returns an engine with a key for the server s, and its clock.
func engineOf(t *testing.T, s *script, change func(*Settings)) (*Engine, *fakeClock) {
	t.Helper()
	t.Setenv("HERD_TEST_KEY", secret)
	settings := Settings{URL: s.URL, Model: "goat", KeyEnv: "HERD_TEST_KEY"}
	if change != nil {
		change(&settings)
	}
	e, err := New(settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	clock := &fakeClock{}
	clock.use(e.client)
	return e, clock
}

// asking returns a request for one completion of each seed.
func asking(seeds ...uint64) sample.Request {
	return sample.Request{
		Prompt: []token.ID{1, 2, 3}, Seeds: seeds,
		Settings: sample.Settings{Temperature: 1, MaxTokens: 5},
	}
}

// generate collects the completions from Generate.
func generate(ctx context.Context, e *Engine, requests ...sample.Request) (map[int][]sample.Completion, error) {
	got := map[int][]sample.Completion{}
	err := e.Generate(ctx, requests, func(i int, c []sample.Completion) error {
		got[i] = c
		return nil
	})
	return got, err
}

// noLeak fails if goroutines remain when the test and its servers have ended.
func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for range 200 {
			if runtime.NumGoroutine() <= before {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
	})
}
