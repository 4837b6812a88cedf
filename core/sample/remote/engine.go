package remote

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/sourcegraph/conc/pool"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// Engine samples from a server. Any number of goroutines may use it at once.
type Engine struct {
	*client
	settings Settings
	base     string               // URL with /v1
	tok      *tokenizer.Tokenizer // may be nil
}

var _ sample.Sampler = (*Engine)(nil)

// New returns an engine. tok is the model's tokenizer; it may be nil unless prompts are
// sent as text. New does not contact the server.
func New(s Settings, tok *tokenizer.Tokenizer) (*Engine, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	if s.Prompt == Text && tok == nil {
		return nil, fmt.Errorf("remote: prompt is text, which needs a tokenizer: there is none")
	}
	u, err := s.address().parse()
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	c, err := newClient(s.address(), s.Limits)
	if err != nil {
		return nil, fmt.Errorf("remote: %w", err)
	}
	return &Engine{client: c, settings: s, base: ofCompletions(u).String(), tok: tok}, nil
}

// Generate implements sample.Sampler. Equal requests send equal bytes; whether the answers
// are equal depends on the server (see docs/remote.md). If a request fails permanently,
// Generate starts no other, passes those in progress to done, and returns an error that
// names the failed request.
func (e *Engine) Generate(ctx context.Context, requests []sample.Request, done func(int, []sample.Completion) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := &generation{engine: e, done: done, cancel: cancel}
	calls := pool.New().WithMaxGoroutines(e.limits.Concurrency)
	for i, r := range requests {
		p := &pending{index: i, Request: r, out: make([]sample.Completion, len(r.Seeds)), open: len(r.Seeds)}
		if err := e.check(r); err != nil {
			work.fail(fmt.Errorf("remote: request %d: %w", i, err))
		}
		for first := 0; first < len(r.Seeds) && work.active(ctx); first += e.group() {
			last := min(first+e.group(), len(r.Seeds))
			calls.Go(func() { work.answer(ctx, p, first, last) })
		}
	}
	calls.Wait()
	return cmp.Or(work.err, ctx.Err())
}

// group returns how many seeds one HTTP request asks for.
func (e *Engine) group() int { return cmp.Or(e.settings.N, 1) }

// pending is a request in progress.
type pending struct {
	index int
	sample.Request
	out  []sample.Completion
	open int // completions that have not arrived
}

// generation is one call of Generate.
type generation struct {
	engine *Engine
	done   func(int, []sample.Completion) error
	cancel context.CancelFunc

	mu  sync.Mutex // guards err, pending.open, and calls of done
	err error      // the first
}

func (g *generation) active(ctx context.Context) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err == nil && ctx.Err() == nil
}

func (g *generation) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = cmp.Or(g.err, err)
}

// answer asks the server for the completions of Seeds[first:last].
func (g *generation) answer(ctx context.Context, p *pending, first, last int) {
	completions, err := g.engine.complete(ctx, p.Request, p.Seeds[first:last])
	switch {
	case ctx.Err() != nil:
		g.fail(ctx.Err())
	case err != nil:
		g.fail(fmt.Errorf("remote: request %d, seed %d: %w", p.index, p.Seeds[first], err))
	default:
		stream(p.Request, first, completions)
		copy(p.out[first:last], completions)
		g.arrived(ctx, p, last-first)
	}
}

// stream streams each completion as one delta.
func stream(r sample.Request, first int, completions []sample.Completion) {
	if r.Stream == nil {
		return
	}
	for k, c := range completions {
		r.Stream(first+k, sample.Delta{Text: c.Text, Tokens: tokens(c), Finish: c.Finish})
	}
}

// tokens returns the tokens of a completion; without Detail only their ids.
func tokens(c sample.Completion) []sample.Token {
	if len(c.Tokens) > 0 {
		return c.Tokens
	}
	list := make([]sample.Token, len(c.IDs))
	for i, id := range c.IDs {
		list[i].ID = id
	}
	return list
}

// arrived records n completions. With the last one of a request it calls done, unless
// Generate was cancelled.
func (g *generation) arrived(ctx context.Context, p *pending, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.open -= n; p.open > 0 || ctx.Err() != nil {
		return
	}
	if err := g.done(p.index, p.out); err != nil {
		g.err = err
		g.cancel()
	}
}
