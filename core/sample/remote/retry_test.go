package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRetries lets a server fail twice in every temporary way. The third attempt must
// succeed, with the same bytes and the same idempotency key.
func TestRetries(t *testing.T) {
	for name, step := range map[string]http.HandlerFunc{
		"429":             says(429, `{"error":{"message":"slow down"}}`),
		"408":             says(408, ""),
		"500":             says(500, "oops"),
		"503":             says(503, `{"error":"loading"}`),
		"529":             says(529, "overloaded"),
		"cut":             cuts,
		"reset":           func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"no JSON":         says(200, "<html>busy</html>"),
		"half a JSON":     says(200, `{"choices":[{"index":0,"text":"go`),
		"no choice":       says(200, `{"choices":[]}`),
		"two choices":     says(200, `{"choices":[{"index":0,"text":"a","finish_reason":"stop"},{"index":1,"text":"b","finish_reason":"stop"}]}`),
		"wrong index":     says(200, `{"choices":[{"index":7,"text":"a","finish_reason":"stop"}]}`),
		"no text":         says(200, `{"choices":[{"index":0,"finish_reason":"stop"}]}`),
		"aborted":         says(200, `{"choices":[{"index":0,"text":"a","finish_reason":"abort"}]}`),
		"unfinished":      says(200, `{"choices":[{"index":0,"text":"a","finish_reason":null}]}`),
		"error as answer": says(200, `{"error":{"message":"upstream is busy","code":502}}`),
		"negative token":  says(200, `{"choices":[{"index":0,"text":"a","finish_reason":"stop","token_ids":[-4]}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			s := newScript(t, step, step, fine)
			e, clock := engineOf(t, s, nil)
			got, err := generate(t.Context(), e, asking(7))
			if err != nil || len(got[0]) != 1 || got[0][0].Text != " goat" {
				t.Fatalf("got %+v, error %v", got, err)
			}
			if want := []time.Duration{firstPause, 2 * firstPause}; !slices.Equal(clock.pauses, want) {
				t.Errorf("paused for %v, expected %v", clock.pauses, want)
			}
			for i := range s.bodies {
				if s.bodies[i] != s.bodies[0] || s.headers[i].Get("Idempotency-Key") != s.headers[0].Get("Idempotency-Key") {
					t.Errorf("attempt %d differs from the first", i)
				}
			}
		})
	}
}

// TestFailsAtOnce checks that permanent failures are not tried again, and their errors.
func TestFailsAtOnce(t *testing.T) {
	for _, c := range []struct {
		step http.HandlerFunc
		want []string
	}{
		{says(400, `{"object":"error","message":"maximum context\n length is 8"}`), []string{"400 Bad Request: maximum context length is 8", "set standard to true"}},
		{says(401, `{"error":{"message":"Incorrect API key provided: `+secret+`."}}`), []string{"401", "[HERD_TEST_KEY]", "key_env"}},
		{says(404, `{"detail":"Not Found"}`), []string{"404 Not Found: Not Found (check url and model)"}},
		{says(422, `{"detail":[{"loc":["body","seed"],"msg":"too large"}]}`), []string{`[{"loc":["body","seed"],"msg":"too large"}]`}},
		{says(413, strings.Repeat("long ", 1000)), []string{"413", "long ...", "prompt is too long"}},
		{says(501, ""), []string{"501 Not Implemented"}},
		{says(200, `{"choices":[{"index":0,"text":"","finish_reason":"tool_calls"}]}`), []string{"tool_calls", "switch off tool parsing"}},
	} {
		s := newScript(t, c.step)
		e, clock := engineOf(t, s, nil)
		_, err := generate(t.Context(), e, asking(7))
		if err == nil || len(clock.pauses) > 0 || len(s.bodies) != 1 {
			t.Errorf("error %v after %d requests", err, len(s.bodies))
			continue
		}
		for _, want := range append(c.want, "request 0, seed 7", s.URL+"/v1/completions") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		}
		if len(err.Error()) > 700 || strings.Contains(err.Error(), secret) {
			t.Errorf("error is too long, or holds the key: %q", err)
		}
	}
}

// TestGivesUp checks that retries are bounded by number and by time.
func TestGivesUp(t *testing.T) {
	s := newScript(t, says(503, "loading"))
	e, _ := engineOf(t, s, func(s *Settings) { s.Retries = 3 })
	_, err := generate(t.Context(), e, asking(7))
	if err == nil || !strings.Contains(err.Error(), "gave up after 4 attempts in 3.5s: 503 Service Unavailable: loading") || len(s.bodies) != 4 {
		t.Errorf("%d requests, error %v", len(s.bodies), err)
	}
	s = newScript(t, says(503, "loading"))
	e, clock := engineOf(t, s, func(s *Settings) { s.Retries, s.Patience = 100, time.Minute })
	_, err = generate(t.Context(), e, asking(7))
	// 0.5+1+2+4+8+16 is 31.5 s; 30 more would be more than a minute.
	if err == nil || len(s.bodies) != 7 || len(clock.pauses) != 6 {
		t.Errorf("%d requests, pauses %v, error %v", len(s.bodies), clock.pauses, err)
	}
	s = newScript(t, says(503, "loading"))
	e, _ = engineOf(t, s, func(s *Settings) { s.Retries = -1 })
	if _, err = generate(t.Context(), e, asking(7)); err == nil || len(s.bodies) != 1 {
		t.Errorf("no retries: %d requests, error %v", len(s.bodies), err)
	}
}

// TestRetryAfter parses both forms of the header, and cuts a value that is too long.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                               0,
		"7":                              7 * time.Second,
		"0":                              0,
		"-5":                             0,
		"soon":                           0,
		"100000":                         maxAfter,
		"9999999999999999999999":         0,
		"Sun, 01 Mar 2026 12:00:20 GMT":  20 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT":  0,
		"Sunday, 01-Mar-26 12:00:09 GMT": 9 * time.Second,
		"Mon, 02 Mar 2026 12:00:00 GMT":  maxAfter,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("Retry-After: %q: %s, expected %s", header, got, want)
		}
		s := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(429)
		}, fine)
		e, clock := engineOf(t, s, nil)
		if _, err := generate(t.Context(), e, asking(7)); err != nil || len(clock.pauses) != 1 || clock.pauses[0] != want+firstPause {
			t.Errorf("Retry-After: %q: pauses %v, error %v", header, clock.pauses, err)
		}
	}
}

// TestJitter checks that pauses are in [0, bound), and that the bound grows to its limit.
func TestJitter(t *testing.T) {
	c := &client{clock: clock{random: func() float64 { return 0 }}}
	for attempts := 1; attempts < 100; attempts++ {
		if got := c.jitter(attempts); got != 0 {
			t.Errorf("attempt %d: least pause %s", attempts, got)
		}
	}
	c.clock.random = func() float64 { return 1 }
	if got := c.jitter(5); got != 16*firstPause {
		t.Errorf("attempt 5: longest pause %s", got)
	}
	if got := c.jitter(1000); got != maxPause {
		t.Errorf("attempt 1000: longest pause %s", got)
	}
}

// TestTimeout asks a server that does not answer, and one that stops in the middle.
func TestTimeout(t *testing.T) {
	for name, hang := range map[string]http.HandlerFunc{
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"slow": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"choices":[`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			e, _ := engineOf(t, newScript(t, hang, fine), func(s *Settings) { s.Timeout = 50 * time.Millisecond })
			if got, err := generate(t.Context(), e, asking(7)); err != nil || len(got) != 1 {
				t.Errorf("got %v, error %v", got, err)
			}
			e, _ = engineOf(t, newScript(t, hang), func(s *Settings) { s.Timeout, s.Retries = 20*time.Millisecond, 1 })
			_, err := generate(t.Context(), e, asking(7))
			if err == nil || !strings.Contains(err.Error(), "gave up after 2 attempts in 500ms: no answer within 20ms") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestCancelled checks that the end of the context ends requests that hang, and pauses.
func TestCancelled(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := newScript(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	e, _ := engineOf(t, s, nil)
	if got, err := generate(ctx, e, asking(7), asking(8)); !errors.Is(err, context.Canceled) || len(got) > 0 {
		t.Errorf("got %v, error %v", got, err)
	}
	short, cancelShort := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelShort()
	e, _ = engineOf(t, newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(503)
	}), nil)
	e.clock = wallClock()
	began := time.Now()
	_, err := generate(short, e, asking(7))
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Minute {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestUnreachable checks that herd tries again if a server does not listen: it may be
// starting.
func TestUnreachable(t *testing.T) {
	s := newScript(t, fine)
	e, clock := engineOf(t, s, func(s *Settings) { s.Retries = 2 })
	s.Close()
	_, err := generate(t.Context(), e, asking(7))
	if err == nil || !strings.Contains(err.Error(), "gave up after 3 attempts") || len(clock.pauses) != 2 {
		t.Errorf("pauses %v, error %v", clock.pauses, err)
	}
}

// TestWrongServer asks servers that no retry makes right. None of them may get the key.
func TestWrongServer(t *testing.T) {
	noLeak(t)
	s := &script{steps: []http.HandlerFunc{fine}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail
	s.StartTLS()
	t.Cleanup(s.Close)
	plain := newScript(t, fine)
	for url, want := range map[string]string{
		s.URL: "certificate",
		strings.Replace(plain.URL, "http", "https", 1): "server gave HTTP response to HTTPS client",
	} {
		e, clock := engineOf(t, s, func(s *Settings) { s.URL = url })
		_, err := generate(t.Context(), e, asking(7))
		if err == nil || !strings.Contains(err.Error(), want) || len(clock.pauses) > 0 {
			t.Errorf("%s: pauses %v, error %v", url, clock.pauses, err)
		}
	}
	if len(s.bodies)+len(plain.bodies) > 0 {
		t.Errorf("they were sent %q %q", s.bodies, plain.bodies)
	}
	nowhere := connectionFailure(t.Context(), &url.Error{Err: &net.OpError{Err: &net.DNSError{Err: "no such host", IsNotFound: true}}})
	if slow := connectionFailure(t.Context(), &net.DNSError{IsTimeout: true}); nowhere.again || !slow.again {
		t.Errorf("no such host is tried again: %v; a slow answer where it is: %v", nowhere.again, slow.again)
	}
}
