// Package engine samples from a model in this process. New makes an Engine of packed weights;
// its Generate and Complete answer requests, for any number of callers at once.
package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// Engine samples from a model in this process, for any number of callers at once.
// Completions advance together, a token each per step, and prompts are computed beside
// them; when one ends, the next takes its place (continuous batching: Yu et al., Orca,
// OSDI 2022). Whatever texts have in common at their beginning is computed once.
//
// What a completion is depends on the model, its prompt, settings and seed only: not on
// what else is being computed, on threads, or on memory.
type Engine struct {
	tok    *tokenizer.Tokenizer // may be nil
	config model.Config
	slots  int

	mu      sync.Mutex
	inbox   []*job
	looping bool // there is a goroutine in loop
	stats   sample.Stats

	schedule // that goroutine's
}

// Options are how an engine works; they change nothing of what it draws.
type Options struct {
	Slots  int   // completions that advance together; 0: 64
	Memory int64 // bytes for keys and values at most; 0: half of what is free

	// Unshared makes every request compute its prompt itself, to measure what
	// sharing saves.
	Unshared bool
}

const (
	defaultSlots = 64
	prefillRows  = 256     // tokens of prompts in a step, at least
	unknownFree  = 4 << 30 // bytes for keys and values where the system does not tell what is free
)

// New returns an engine for the weights of a model with its tokenizer, without
// which completions have no text.
func New(w *model.Packed, tok *tokenizer.Tokenizer, o Options) *Engine {
	slots := cmp.Or(o.Slots, defaultSlots)
	decoder := w.Decoder(max(slots, prefillRows))
	e := &Engine{tok: tok, config: w.Config, slots: slots}
	limit := cacheLimit(o, decoder.PageBytes(), slots, w.Config.Context())
	e.schedule = schedule{decoder: decoder, pages: newPages(limit, decoder.NewPage)}
	e.pages.private = o.Unshared
	e.stats.CacheLimit = int64(limit) * decoder.PageBytes()
	return e
}

// cacheLimit returns how many pages an engine may have: never more than all its slots
// could fill.
func cacheLimit(o Options, pageBytes int64, slots, context int) int {
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

// pagesFor returns how many pages n tokens take.
func pagesFor(n int) int { return (n + kernel.PageTokens - 1) / kernel.PageTokens }

// Longest returns how many tokens a prompt and its completion may have together: the
// model's positions, or what the memory for keys and values holds.
func (e *Engine) Longest() int {
	return min(e.config.Context(), e.pages.limit*kernel.PageTokens)
}

// Stats returns what the engine does now.
func (e *Engine) Stats() sample.Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Waiting += len(e.inbox)
	return s
}

// Complete answers one request. Any number of goroutines may call it; the end of ctx
// ends this request only.
func (e *Engine) Complete(ctx context.Context, r sample.Request) (out []sample.Completion, err error) {
	err = e.Generate(ctx, []sample.Request{r}, func(_ int, c []sample.Completion) error {
		out = c
		return nil
	})
	return out, err
}

// Generate implements Sampler. Any number of goroutines may call it.
func (e *Engine) Generate(ctx context.Context, requests []sample.Request, done func(int, []sample.Completion) error) error {
	for i, r := range requests {
		if err := e.check(r); err != nil {
			return fmt.Errorf("sample: request %d: %w", i, err)
		}
	}
	window := e.slots + 1 // requests under way: enough that no slot is empty
	finished := make(chan *job, window)
	ctx, cancel := context.WithCancel(ctx)
	open := 0
	defer func() {
		cancel()
		for ; open > 0; open-- {
			<-finished // nothing is streamed after the return
		}
	}()
	for next := 0; next < len(requests) || open > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		for ; open < window && next < len(requests); next++ {
			e.submit(e.newJob(ctx, next, requests[next], finished))
			open++
		}
		j := <-finished
		open--
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case j.err != nil:
			return fmt.Errorf("sample: request %d: %w", j.index, j.err)
		}
		if err := done(j.index, j.out); err != nil {
			return err
		}
	}
	return nil
}

// check reports a request that cannot be answered.
func (e *Engine) check(r sample.Request) error {
	if err := r.Settings.Validate(); err != nil {
		return err
	}
	context := e.config.Context()
	outside := func(id token.ID) bool { return id < 0 || int(id) >= e.config.VocabSize }
	switch {
	case e.config.IsReward():
		return fmt.Errorf("the model is a reward model: it has no language-model head to sample from")
	case len(r.Prompt) == 0:
		return fmt.Errorf("the prompt is empty")
	case len(r.Seeds) == 0:
		return fmt.Errorf("no completion is asked for")
	case len(r.StopStrings) > 0 && e.tok == nil:
		return fmt.Errorf("there are stop strings, but no tokenizer to find them in a text")
	case len(r.Prompt) >= context:
		return fmt.Errorf("the prompt has %d tokens, the model's last position is %d: nothing can follow", len(r.Prompt), context-1)
	}
	if i := slices.IndexFunc(r.Prompt, outside); i >= 0 {
		return fmt.Errorf("token id %d is outside the vocabulary of %d", r.Prompt[i], e.config.VocabSize)
	}
	if tokens := len(r.Prompt) + e.room(r); pagesFor(tokens) > e.pages.limit {
		return fmt.Errorf("prompt and answer may have %d tokens, the memory for keys and values (%s) holds %d: lower max_tokens, or give it more",
			tokens, memory.Bytes(int64(e.pages.limit)*e.decoder.PageBytes()), e.Longest())
	}
	return nil
}

// room returns the most tokens that a completion of r can have.
func (e *Engine) room(r sample.Request) int {
	return min(r.MaxTokens, e.config.Context()-len(r.Prompt))
}

// Embed returns the mean of the final hidden states of ids, [HiddenSize].
func (e *Engine) Embed(ctx context.Context, ids []token.ID) ([]float32, error) {
	r := sample.Request{Prompt: ids, Seeds: []uint64{0}, Settings: sample.Settings{MaxTokens: 1}}
	if err := e.check(r); err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	finished := make(chan *job, 1)
	j := e.newJob(ctx, 0, r, finished)
	j.embed = make([]float32, e.config.HiddenSize)
	e.submit(j)
	<-finished
	if j.err != nil {
		return nil, fmt.Errorf("sample: %w", j.err)
	}
	return j.embed, nil
}

// submit gives j to the loop, and starts that if it sleeps.
func (e *Engine) submit(j *job) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inbox = append(e.inbox, j)
	if !e.looping {
		e.looping = true
		go e.loop()
	}
}

var _ sample.Sampler = (*Engine)(nil)
