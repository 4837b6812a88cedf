package serve

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sourcegraph/conc/pool"

	"github.com/herd-lm/herd/core/sample"
)

// encoder writes the choices of an endpoint. k is the index of a choice: the first n
// choices belong to the first prompt.
type encoder interface {
	object(streamed bool) string
	choice(k int, c sample.Completion) any // a whole choice
	begin(k int) any                       // what a stream sends before the first delta, or nil
	delta(k int, d sample.Delta) any       // what a choice grew by, or nil
}

// usage is how many tokens a request took. Each prompt counts once; the token that ended
// a choice does not count.
type usage struct {
	Prompt int `json:"prompt_tokens"`
	Answer int `json:"completion_tokens"`
	Total  int `json:"total_tokens"`
}

// envelope is the JSON object around choices.
type envelope struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Digest  string `json:"system_fingerprint"`
	Choices []any  `json:"choices"`
	Usage   any    `json:"usage,omitempty"` // *usage
}

// response is the answer to a request, while it is generated.
type response struct {
	*request
	completions [][]sample.Completion // of each prompt, once they are complete
	deltas      *deltaQueue           // nil: no stream
	began       time.Time
	first       atomic.Int64 // nanoseconds from began to the first token
	drawn       atomic.Int64 // tokens so far

	mu    sync.Mutex
	open  int    // prompts whose completions are not complete
	leave func() // the model's queue
}

// respond generates the choices of q and sends them.
func (s *Server) respond(w *reply, r *http.Request, q *request, as encoder) error {
	ctx, cut := context.WithCancelCause(r.Context())
	defer cut(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, errTimeout)
	defer cancel()
	w.model = q.model
	p := &response{request: q, completions: make([][]sample.Completion, len(q.requests)), began: w.Began}
	leave, err := q.model.queue.enter(ctx, q.choices())
	if err != nil {
		return asError(ctx, err)
	}
	p.leave, p.open = sync.OnceFunc(leave), len(q.requests)
	defer p.leave()
	defer p.record(w)
	w.Header().Set("X-Seed", strconv.FormatUint(q.seed, 10))
	if !q.stream {
		if err := p.generate(ctx, nil); err != nil {
			return s.failed(ctx, err)
		}
		writeJSON(w, http.StatusOK, p.whole(as))
		return nil
	}
	p.deltas = newDeltaQueue(len(q.requests), s.Backlog, func() {
		cut(errSlow)
		w.Abandon()
	})
	out := newStream(w)
	err = p.generate(ctx, func(ctx context.Context) error { return p.send(ctx, out, as) })
	return s.finish(ctx, p, out, as, err)
}

// failed is asError. It also logs the details of an internal error, which the client
// does not see.
func (s *Server) failed(ctx context.Context, err error) *Error {
	shown := asError(ctx, err)
	if shown.Status == http.StatusInternalServerError {
		s.Log.Error("answer", "error", err)
	}
	return shown
}

// generate completes all prompts at once, while meanwhile runs. The first error cancels
// everything else.
func (p *response) generate(ctx context.Context, meanwhile func(context.Context) error) error {
	tasks := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for i, r := range p.requests {
		r.Stream = func(k int, d sample.Delta) { p.add(delta{i*p.n + k, d}) }
		tasks.Go(func(ctx context.Context) (err error) {
			defer p.ended()
			p.completions[i], err = p.model.Engine.Complete(ctx, r)
			return err
		})
	}
	if meanwhile != nil {
		tasks.Go(meanwhile)
	}
	return tasks.Wait()
}

// ended records that one prompt is complete. With the last one the response leaves the
// model's queue: a client that reads slowly keeps nobody waiting.
func (p *response) ended() {
	if p.deltas != nil {
		p.deltas.end()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open--; p.open == 0 {
		p.leave()
	}
}

// add counts a delta and queues it for the stream. The engine calls it, so it must not
// wait.
func (p *response) add(d delta) {
	p.first.CompareAndSwap(0, int64(time.Since(p.began)))
	p.drawn.Add(int64(len(d.Tokens)))
	p.model.meter.drawn.Add(uint64(len(d.Tokens)))
	if p.deltas != nil {
		p.deltas.add(d)
	}
}

func (p *response) envelope(object string) envelope {
	return envelope{ID: p.id, Object: object, Created: p.created, Model: p.model.Name, Digest: p.model.Digest, Choices: []any{}}
}

// whole returns all choices in one object.
func (p *response) whole(as encoder) envelope {
	e := p.envelope(as.object(false))
	for i, completions := range p.completions {
		for k, c := range completions {
			e.Choices = append(e.Choices, as.choice(i*p.n+k, c))
		}
	}
	e.Usage = p.used()
	return e
}

func (p *response) promptTokens() (n int) {
	for _, r := range p.requests {
		n += len(r.Prompt)
	}
	return n
}

func (p *response) used() *usage {
	u := &usage{Prompt: p.promptTokens()}
	for _, completions := range p.completions {
		for _, c := range completions {
			if p.only {
				break
			}
			u.Answer += len(c.IDs)
		}
	}
	u.Total = u.Prompt + u.Answer
	return u
}

// record hands the numbers of tokens and the times to the log and the metrics.
func (p *response) record(w *reply) {
	w.prompt, w.drawn = p.promptTokens(), int(p.drawn.Load())
	m := p.model.meter
	m.prompt.Add(uint64(w.prompt))
	first := time.Duration(p.first.Load())
	if first == 0 {
		return
	}
	m.first.observe(first.Seconds())
	if each := w.drawn/p.choices() - 1; each > 0 {
		m.each.observe((time.Since(p.began) - first).Seconds() / float64(each))
	}
}
