package serve

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/herd-lm/herd/core/sample"
)

// metrics holds the numbers for GET /metrics, which writes them in Prometheus' text format.
type metrics struct {
	none   *meter // of requests without a model
	meters []*meter
}

// meter counts the requests to one model.
type meter struct {
	model       string
	prompt      atomic.Uint64 // tokens
	drawn       atomic.Uint64 // tokens
	first, each *histogram    // seconds to the first token, and for each further one

	mu   sync.Mutex
	took map[outcome]*histogram // seconds
}

// outcome is the label by which requests are counted.
type outcome struct {
	path   string // of the endpoint
	status int
}

func newMetrics() *metrics { return &metrics{none: newMeter("")} }

func newMeter(model string) *meter {
	return &meter{model: model, first: newHistogram(firstBounds), each: newHistogram(eachBounds), took: map[outcome]*histogram{}}
}

func (m *metrics) add(model string) *meter {
	n := newMeter(model)
	m.meters = append(m.meters, n)
	return n
}

// count counts a request.
func (m *meter) count(path string, status int, took time.Duration) {
	m.mu.Lock()
	h := m.took[outcome{path, status}]
	if h == nil {
		h = newHistogram(tookBounds)
		m.took[outcome{path, status}] = h
	}
	m.mu.Unlock()
	h.observe(took.Seconds())
}

// outcomes returns the counted outcomes with their times, sorted.
func (m *meter) outcomes() (keys []outcome, took []*histogram) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k := range m.took {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b outcome) int {
		if c := strings.Compare(a.path, b.path); c != 0 {
			return c
		}
		return a.status - b.status
	})
	for _, k := range keys {
		took = append(took, m.took[k])
	}
	return keys, took
}

// writeMetrics is GET /metrics.
func (s *Server) writeMetrics(w *reply, _ *http.Request) error {
	var b strings.Builder
	s.writeRequests(&b)
	s.writeTokens(&b)
	s.writeGauges(&b)
	head(&b, "herd_goroutines", "gauge", "Goroutines of the process.")
	fmt.Fprintf(&b, "herd_goroutines %d\n", runtime.NumGoroutine())
	head(&b, "herd_start_time_seconds", "gauge", "Start of the server, in Unix time.")
	fmt.Fprintf(&b, "herd_start_time_seconds %d\n", s.began.Unix())
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, b.String()) // the client may have disconnected
	return nil
}

func (s *Server) writeRequests(b *strings.Builder) {
	const name = "herd_request_duration_seconds"
	head(b, name, "histogram", "Time of requests by outcome; 499: the client disconnected.")
	for _, m := range append([]*meter{s.metrics.none}, s.metrics.meters...) {
		keys, took := m.outcomes()
		for i, k := range keys {
			took[i].write(b, name, labels("model", m.model, "endpoint", k.path, "code", strconv.Itoa(k.status)))
		}
	}
	head(b, "herd_time_to_first_token_seconds", "histogram", "Time from a request to the first token of its first answer.")
	for _, m := range s.metrics.meters {
		m.first.write(b, "herd_time_to_first_token_seconds", labels("model", m.model))
	}
	head(b, "herd_time_per_output_token_seconds", "histogram", "Time between tokens of an answer: the mean of each request.")
	for _, m := range s.metrics.meters {
		m.each.write(b, "herd_time_per_output_token_seconds", labels("model", m.model))
	}
}

func (s *Server) writeTokens(b *strings.Builder) {
	head(b, "herd_prompt_tokens_total", "counter", "Tokens of prompts.")
	for _, m := range s.metrics.meters {
		fmt.Fprintf(b, "herd_prompt_tokens_total{%s} %d\n", labels("model", m.model), m.prompt.Load())
	}
	head(b, "herd_generation_tokens_total", "counter", "Tokens of answers.")
	for _, m := range s.metrics.meters {
		fmt.Fprintf(b, "herd_generation_tokens_total{%s} %d\n", labels("model", m.model), m.drawn.Load())
	}
}

// load is the present load of a model, from its queue and its engine.
type load struct {
	answers, requests int // running in the engine; waiting in the queue
	sample.Stats
}

// gauges lists the metrics that show the load.
var gauges = []struct {
	name, kind, help string
	value            func(n load) any
}{
	{"herd_answers_running", "gauge", "Answers that the queue admitted to the engine.", func(n load) any { return n.answers }},
	{"herd_requests_waiting", "gauge", "Requests that wait in the queue.", func(n load) any { return n.requests }},
	{"herd_engine_running", "gauge", "Answers that the engine draws, and prompts that it computes.", func(n load) any { return n.Running }},
	{"herd_engine_waiting", "gauge", "Requests that wait for room in the engine.", func(n load) any { return n.Waiting }},
	{"herd_cache_bytes", "gauge", "Bytes of keys and values in use.", func(n load) any { return n.CacheBytes }},
	{"herd_cache_limit_bytes", "gauge", "Most bytes that keys and values may take.", func(n load) any { return n.CacheLimit }},
	{"herd_engine_prompt_tokens_total", "counter", "Prompt tokens of requests to the engine.", func(n load) any { return n.PromptTokens }},
	{"herd_engine_shared_tokens_total", "counter", "Prompt tokens that the engine found in the cache.", func(n load) any { return n.SharedTokens }},
	{"herd_engine_preempted_total", "counter", "Answers that the engine preempted to free memory.", func(n load) any { return n.Preempted }},
}

func (s *Server) writeGauges(b *strings.Builder) {
	states := make([]load, len(s.models))
	for i, m := range s.models {
		states[i].answers, states[i].requests = m.queue.lengths()
		states[i].Stats = m.Engine.Stats()
	}
	for _, g := range gauges {
		head(b, g.name, g.kind, g.help)
		for i, m := range s.models {
			fmt.Fprintf(b, "%s{%s} %v\n", g.name, labels("model", m.Name), g.value(states[i]))
		}
	}
}

func head(b *strings.Builder, name, kind, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labels formats pairs of name and value.
func labels(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `%s="%s"`, pairs[i], escapes.Replace(strings.ToValidUTF8(pairs[i+1], "\uFFFD")))
	}
	return b.String()
}
