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

// shape is how an endpoint writes answers. k counts them: the first n are those to
// the first prompt.
type shape interface {
	object(streamed bool) string
	choice(k int, c sample.Completion) any // a whole answer
	begin(k int) any                       // what a stream has before its first piece, or nil
	piece(k int, d sample.Delta) any       // what an answer grew by, or nil
}

// usage is how many tokens a request took: the prompts', each once, and the
// answers', without the token that ended them.
type usage struct {
	Prompt int `json:"prompt_tokens"`
	Answer int `json:"completion_tokens"`
	Total  int `json:"total_tokens"`
}

// envelope is what all answers are sent in.
type envelope struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
	Digest  string `json:"system_fingerprint"`
	Choices []any  `json:"choices"`
	Usage   any    `json:"usage,omitempty"` // *usage
}

// drawing is a task being answered.
type drawing struct {
	*task
	answers [][]sample.Completion // of each request, when they are complete
	feed    *feed                 // nil: nobody waits for pieces
	began   time.Time
	first   atomic.Int64 // nanoseconds from began to the first token
	drawn   atomic.Int64 // tokens so far

	mu    sync.Mutex
	open  int    // requests not answered yet
	leave func() // the queue
}

// answer draws what t asks for and sends it.
func (s *Server) answer(w *reply, r *http.Request, t *task, as shape) error {
	ctx, cut := context.WithCancelCause(r.Context())
	defer cut(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, s.Timeout, errTimeout)
	defer cancel()
	w.model = t.model
	d := &drawing{task: t, answers: make([][]sample.Completion, len(t.requests)), began: w.Began}
	leave, err := t.model.queue.enter(ctx, t.choices())
	if err != nil {
		return asError(ctx, err)
	}
	d.leave, d.open = sync.OnceFunc(leave), len(t.requests)
	defer d.leave()
	defer d.record(w)
	w.Header().Set("X-Seed", strconv.FormatUint(t.seed, 10))
	if !t.stream {
		if err := d.draw(ctx, nil); err != nil {
			return s.failed(ctx, err)
		}
		writeJSON(w, http.StatusOK, d.whole(as))
		return nil
	}
	d.feed = newFeed(len(t.requests), s.Backlog, func() {
		cut(errSlow)
		w.Abandon()
	})
	out := newStream(w)
	err = d.draw(ctx, func(ctx context.Context) error { return d.pump(ctx, out, as) })
	return s.finish(ctx, d, out, as, err)
}

// failed is asError, and the log has what a client is not told.
func (s *Server) failed(ctx context.Context, err error) *Error {
	told := asError(ctx, err)
	if told.Status == http.StatusInternalServerError {
		s.Log.Error("answer", "error", err)
	}
	return told
}

// draw answers all prompts, and does meanwhile what else is given. The end of one by
// an error ends all.
func (d *drawing) draw(ctx context.Context, meanwhile func(context.Context) error) error {
	p := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError()
	for i, r := range d.requests {
		r.Stream = func(k int, delta sample.Delta) { d.take(i*d.n+k, delta) }
		p.Go(func(ctx context.Context) (err error) {
			defer d.ended()
			d.answers[i], err = d.model.Engine.Complete(ctx, r)
			return err
		})
	}
	if meanwhile != nil {
		p.Go(meanwhile)
	}
	return p.Wait()
}

// ended says that one of the requests is answered. With the last of them others can
// be let in, however long the client takes to read.
func (d *drawing) ended() {
	if d.feed != nil {
		d.feed.end()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open--; d.open == 0 {
		d.leave()
	}
}

// take is told of answers as they grow; it does not wait.
func (d *drawing) take(k int, delta sample.Delta) {
	d.first.CompareAndSwap(0, int64(time.Since(d.began)))
	d.drawn.Add(int64(len(delta.Tokens)))
	d.model.meter.drawn.Add(uint64(len(delta.Tokens)))
	if d.feed != nil {
		d.feed.add(piece{k, delta})
	}
}

func (d *drawing) envelope(object string) envelope {
	return envelope{ID: d.id, Object: object, Created: d.created, Model: d.model.Name, Digest: d.model.Digest, Choices: []any{}}
}

// whole returns all answers in one.
func (d *drawing) whole(as shape) envelope {
	e := d.envelope(as.object(false))
	for i, answers := range d.answers {
		for k, c := range answers {
			e.Choices = append(e.Choices, as.choice(i*d.n+k, c))
		}
	}
	e.Usage = d.used()
	return e
}

func (d *drawing) promptTokens() (n int) {
	for _, r := range d.requests {
		n += len(r.Prompt)
	}
	return n
}

func (d *drawing) used() *usage {
	u := &usage{Prompt: d.promptTokens()}
	for _, answers := range d.answers {
		for _, c := range answers {
			u.Answer += len(c.IDs)
		}
	}
	u.Total = u.Prompt + u.Answer
	return u
}

// record keeps for log and metrics what a request took.
func (d *drawing) record(w *reply) {
	w.prompt, w.drawn = d.promptTokens(), int(d.drawn.Load())
	m := d.model.meter
	m.prompt.Add(uint64(w.prompt))
	first := time.Duration(d.first.Load())
	if first == 0 {
		return
	}
	m.first.observe(first.Seconds())
	if each := w.drawn/d.choices() - 1; each > 0 {
		m.each.observe((time.Since(d.began) - first).Seconds() / float64(each))
	}
}
