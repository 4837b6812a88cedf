package engine

import (
	"cmp"
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// Engine samples from a model in this process, for any number of callers at once. A
// scheduler advances all completions together, one token each per step, and computes
// prompts beside them (continuous batching: Yu et al., Orca, OSDI 2022). It computes a
// common beginning of texts once.
//
// A completion depends only on the model, its prompt, settings and seed. It does not
// depend on other requests, on the number of threads, or on memory.
type Engine struct {
	config    model.Config
	hasText   bool // there is a tokenizer
	scheduler *scheduler
}

var _ sample.Sampler = (*Engine)(nil)

// Options control how an engine works. They do not affect what it draws.
type Options struct {
	Slots  int   // completions that advance together; 0: 64
	Memory int64 // most bytes for keys and values; 0: half of the free memory

	// Unshared makes every request compute its own prompt, to measure what sharing
	// saves.
	Unshared bool
}

const (
	defaultSlots = 64
	prefillRows  = 256     // prompt tokens in a step, at least
	unknownFree  = 4 << 30 // bytes for keys and values if the system does not report its free memory
)

// New returns an engine for the weights of a model. Without a tokenizer (nil),
// completions have no text.
func New(w *model.Packed, tok *tokenizer.Tokenizer, o Options) *Engine {
	slots := cmp.Or(o.Slots, defaultSlots)
	decoder := w.Decoder(max(slots, prefillRows))
	limit := pageLimit(o, decoder.PageBytes(), slots, w.Config.Context())
	pages := newPages(limit, decoder.NewPage)
	pages.unshared = o.Unshared
	return &Engine{
		config: w.Config, hasText: tok != nil,
		scheduler: newScheduler(decoder, w.Config.VocabSize, pages, tok, slots),
	}
}

// pageLimit returns how many pages an engine may allocate. All slots together never
// need more than the upper bound.
func pageLimit(o Options, pageBytes int64, slots, context int) int {
	bytes := o.Memory
	if bytes == 0 {
		bytes = unknownFree
		if free, known := memory.Available(); known {
			bytes = free / 2
		}
	}
	most := 2 * slots * pagesFor(context)
	return max(1, int(min(bytes/pageBytes, int64(most))))
}

// pagesFor returns how many pages n tokens need.
func pagesFor(n int) int { return (n + kernel.PageTokens - 1) / kernel.PageTokens }

// Longest returns how many tokens a prompt and its completion may have together. The
// model's positions and the memory for keys and values limit it.
func (e *Engine) Longest() int {
	return min(e.config.Context(), e.scheduler.pages.limit*kernel.PageTokens)
}

// Stats returns the engine's present load and its counters.
func (e *Engine) Stats() sample.Stats { return e.scheduler.load() }

// Complete answers one request. Any number of goroutines may call it. The end of ctx
// ends only this request.
func (e *Engine) Complete(ctx context.Context, r sample.Request) (out []sample.Completion, err error) {
	err = e.Generate(ctx, []sample.Request{r}, func(_ int, c []sample.Completion) error {
		out = c
		return nil
	})
	return out, err
}

// Generate implements sample.Sampler. Any number of goroutines may call it.
func (e *Engine) Generate(ctx context.Context, requests []sample.Request, done func(int, []sample.Completion) error) error {
	for i, r := range requests {
		if err := e.check(r); err != nil {
			return fmt.Errorf("sample: request %d: %w", i, err)
		}
	}
	window := e.scheduler.slots + 1 // open requests: enough to leave no slot empty
	finished := make(chan *request, window)
	ctx, cancel := context.WithCancel(ctx)
	open := 0
	defer func() {
		cancel()
		for ; open > 0; open-- {
			<-finished // no request streams after the return
		}
	}()
	for next := 0; next < len(requests) || open > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		for ; open < window && next < len(requests); next++ {
			e.scheduler.submit(e.newRequest(ctx, next, requests[next], finished))
			open++
		}
		r := <-finished
		open--
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.err != nil {
			return fmt.Errorf("sample: request %d: %w", r.index, r.err)
		}
		if err := done(r.index, r.completions); err != nil {
			return err
		}
	}
	return nil
}

// Embed returns the mean of the final hidden states of ids, [HiddenSize].
func (e *Engine) Embed(ctx context.Context, ids []token.ID) ([]float32, error) {
	spec := sample.Request{Prompt: ids, Seeds: []uint64{0}, Settings: sample.Settings{MaxTokens: 1}}
	if err := e.check(spec); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	finished := make(chan *request, 1)
	r := e.newRequest(ctx, 0, spec, finished)
	r.embedding = make([]float32, e.config.HiddenSize)
	e.scheduler.submit(r)
	<-finished
	if r.err != nil {
		return nil, fmt.Errorf("sample: %w", r.err)
	}
	return r.embedding, nil
}
