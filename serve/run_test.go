package serve

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// running serves at a free port until stop. ended gets the result of Serve.
func running(t *testing.T, change func(*Settings), m Model) (s *Server, url string, stop func(), ended chan error) {
	t.Helper()
	settings := Defaults()
	change(&settings)
	s, err := New(settings, m)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	return s, "http://" + l.Addr().String(), stop, ended
}

// TestShutdown checks that a server that stops completes the answers in progress, refuses
// new requests, and reports that in /health.
func TestShutdown(t *testing.T) {
	open := make(chan struct{})
	began := make(chan struct{}, 10)
	step := func(ctx context.Context) error {
		began <- struct{}{}
		select {
		case <-open:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s, url, stop, ended := running(t, func(*Settings) {}, modelOf(t, "m", saying(step, 1, 2, 3)))
	var all sync.WaitGroup
	all.Go(func() {
		r := post(t, url+"/v1/completions", `{"prompt":"a","stream":true}`)
		defer r.Body.Close()
		if got, err := readStream(r.Body); err != nil || !got.done || got.finish[0] != "length" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	<-began
	stop()
	eventually(t, "the gate is closed", s.gate.Closed)
	for _, path := range []string{"/v1/completions", "/v1/chat/completions", "/v1/embeddings"} {
		r := post(t, url+path, `{"prompt":"a"}`)
		r.Body.Close()
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if r, err := http.Get(url + "/health"); err != nil || r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v, %v", r, err)
	}
	select {
	case err := <-ended:
		t.Errorf("it has ended: %v", err)
	default:
	}
	close(open)
	all.Wait()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := http.Get(url + "/health"); err == nil {
		t.Error("it answers still")
	}
}

// TestGrace checks that an answer that takes longer than Grace ends with an error.
func TestGrace(t *testing.T) {
	began := make(chan struct{}, 10)
	first := true
	step := func(ctx context.Context) error {
		if first {
			first = false
			return nil
		}
		began <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	_, url, stop, ended := running(t, func(s *Settings) { s.Grace = 20 * time.Millisecond }, modelOf(t, "m", saying(step, 1, 2)))
	go func() {
		<-began
		stop()
	}()
	r := post(t, url+"/v1/completions", `{"prompt":"a","stream":true}`)
	defer r.Body.Close()
	if got, err := readStream(r.Body); err != nil || got.done || got.failed != "shutting_down" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestLog checks that the log has a line with the outcome of each request, and no prompts or
// answers.
func TestLog(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	broken := saying(func(context.Context) error { return errors.New("details") }, 1)
	_, at := start(t, func(s *Settings) { s.Log = slog.New(slog.NewTextHandler(locked{&mu, &log}, nil)) }, modelOf(t, "m", saying(nil, 1, 2)), modelOf(t, "broken", broken))
	whole(t, at.URL+"/v1/completions", `{"prompt":"secret"}`)
	whole(t, at.URL+"/v1/completions", `{"prompt":"secret","model":"broken"}`)
	whole(t, at.URL+"/v1/secret%0Aforged", `{"secret":"secret"}`)
	eventually(t, "the log is written", func() bool { mu.Lock(); defer mu.Unlock(); return strings.Count(log.String(), "\n") == 4 })
	text := log.String()
	for _, want := range []string{
		`level=INFO msg="POST /v1/completions" status=200 ms=`, ` model=m prompt=7 drawn=2`,
		`level=ERROR msg=answer error=details`, `status=500`,
		`msg="POST /v1/secret%0Aforged" status=404`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Count(text, "secret") != 1 {
		t.Errorf("prompts are logged: %s", text)
	}
}

type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}
