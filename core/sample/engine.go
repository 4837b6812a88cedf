package sample

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/tokenizer"
)

// Engine samples from a model in this process. Many completions advance
// together, one token each per step; those of one prompt share its cache. When
// one ends, the next takes its place.
type Engine struct {
	decoder *model.Decoder
	head    bool // the model has a language-model head
	vocab   int
	maxPos  int
	slots   int
	tok     *tokenizer.Tokenizer // may be nil
	busy    sync.Mutex
}

// prefillRows is how many prompt tokens are computed at once.
const prefillRows = 256

// Options are how an engine works; they change nothing of what it draws.
type Options struct {
	Slots  int   // completions that advance together; 0: 64
	Memory int64 // bytes for keys and values at most; 0: half of what is free
}

// NewEngine returns an engine for the model with its tokenizer, without which
// completions have no text. It keeps nothing of p (see model.NewDecoder).
func NewEngine(p *model.Params, tok *tokenizer.Tokenizer, o Options) (*Engine, error) {
	slots := cmp.Or(o.Slots, 64)
	decoder, err := model.NewDecoder(p, max(slots, prefillRows))
	if err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	return &Engine{
		decoder: decoder, head: p.Head != nil,
		vocab: p.Config.VocabSize, maxPos: p.Config.Context(), slots: slots, tok: tok,
	}, nil
}

// Complete answers one request. Any number of goroutines may call it.
func (e *Engine) Complete(ctx context.Context, r Request) (out []Completion, err error) {
	err = e.Generate(ctx, []Request{r}, func(_ int, c []Completion) error {
		out = c
		return nil
	})
	return out, err
}

// prompt is a request being answered.
type prompt struct {
	index int
	Request
	cache  *model.Cache
	logits []float32 // after the last token, [V]
	out    []Completion
	open   int // completions not finished
}

// sequence is a completion being drawn.
type sequence struct {
	prompt *prompt
	sample int // index in prompt.out
	cache  *model.Cache
	rng    *rand.Rand
	drawer drawer
	text   *transcript
	next   token.ID
	ended  bool
	err    error
}

// Generate implements Sampler.
func (e *Engine) Generate(ctx context.Context, requests []Request, done func(int, []Completion) error) error {
	e.busy.Lock()
	defer e.busy.Unlock()
	if !e.head {
		return fmt.Errorf("sample: the model is a reward model: it has no language-model head to sample from")
	}
	var active []*sequence
	var waiting []*sequence // of the prompt computed last
	next := 0
	for {
		for len(active) < e.slots && (len(waiting) > 0 || next < len(requests)) {
			if len(waiting) == 0 {
				p, err := e.begin(next, requests[next])
				if err != nil {
					return fmt.Errorf("sample: request %d: %w", next, err)
				}
				waiting = p.sequences(e.tok)
				next++
				continue
			}
			s := waiting[0]
			waiting = waiting[1:]
			e.start(s)
			active = append(active, s)
		}
		if len(active) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if active, err = e.retire(active, done); err != nil {
			return err
		}
		if err := e.advance(active); err != nil {
			return fmt.Errorf("sample: %w", err)
		}
	}
}

// begin computes the prompt of a request.
func (e *Engine) begin(i int, r Request) (*prompt, error) {
	if err := r.Settings.Validate(); err != nil {
		return nil, err
	}
	switch {
	case len(r.Prompt) == 0:
		return nil, fmt.Errorf("the prompt is empty")
	case len(r.Seeds) == 0:
		return nil, fmt.Errorf("no completion is asked for")
	case len(r.StopStrings) > 0 && e.tok == nil:
		return nil, fmt.Errorf("there are stop strings, but no tokenizer to find them in a text")
	case len(r.Prompt) >= e.maxPos:
		return nil, fmt.Errorf("the prompt has %d tokens, the model's last position is %d: nothing can follow", len(r.Prompt), e.maxPos-1)
	}
	p := &prompt{index: i, Request: r, open: len(r.Seeds), out: make([]Completion, len(r.Seeds))}
	p.cache = e.decoder.NewCache(nil, len(r.Prompt))
	for chunk := range slices.Chunk(r.Prompt, prefillRows) {
		rows := make([]model.Row, len(chunk))
		for j, id := range chunk {
			rows[j] = model.Row{Cache: p.cache, ID: id}
		}
		rows[len(rows)-1].Want = true
		logits, err := e.decoder.Step(rows)
		if err != nil {
			return nil, err
		}
		p.logits = append(p.logits[:0], logits...)
	}
	return p, nil
}

func (p *prompt) sequences(tok *tokenizer.Tokenizer) []*sequence {
	list := make([]*sequence, len(p.Seeds))
	for i, seed := range p.Seeds {
		p.out[i].Seed = seed
		list[i] = &sequence{text: newTranscript(tok, p.StopStrings), prompt: p, sample: i, rng: rand.New(rand.NewPCG(seed, 0))}
	}
	return list
}

// start gives s a cache and draws its first token.
func (e *Engine) start(s *sequence) {
	room := min(s.prompt.MaxTokens, e.maxPos-len(s.prompt.Prompt))
	s.cache = e.decoder.NewCache(s.prompt.cache, room)
	s.take(s.prompt.logits, e.maxPos)
}

// take draws the next token from logits, and ends s if it is the last.
func (s *sequence) take(logits []float32, maxPos int) {
	p := s.prompt
	c := &p.out[s.sample]
	id, logp := s.drawer.draw(logits, p.Settings, s.rng)
	c.LogProb += logp
	if math.IsNaN(logp) {
		s.err = fmt.Errorf("the model's logits are not finite: its weights, or what it was trained on, are broken")
		s.ended = true
		return
	}
	s.next = id
	if slices.Contains(p.Stop, id) {
		s.end(Stop, nil)
		return
	}
	c.IDs = append(c.IDs, id)
	t := Token{ID: id}
	if p.Detail {
		t.LogProb = logp
		c.Tokens = append(c.Tokens, t)
	}
	switch {
	case s.text.add(id):
		s.end(Stop, []Token{t})
	case len(c.IDs) == p.MaxTokens || len(p.Prompt)+len(c.IDs) == maxPos:
		s.end(Length, []Token{t})
	case p.Stream != nil:
		p.Stream(s.sample, Delta{Text: s.text.news(), Tokens: []Token{t}})
	}
}

// end ends a completion, of which last is yet to be told.
func (s *sequence) end(finish string, last []Token) {
	s.text.close()
	c := &s.prompt.out[s.sample]
	c.Finish, c.Text, s.ended = finish, s.text.String(), true
	if s.prompt.Stream != nil {
		s.prompt.Stream(s.sample, Delta{Text: s.text.news(), Tokens: last, Finish: finish})
	}
}

// retire removes the sequences that ended and hands on the requests whose last
// one did.
func (e *Engine) retire(active []*sequence, done func(int, []Completion) error) ([]*sequence, error) {
	var err error
	keep := slices.DeleteFunc(active, func(s *sequence) bool {
		if !s.ended || err != nil {
			return false
		}
		if err = s.err; err != nil {
			err = fmt.Errorf("sample: request %d: %w", s.prompt.index, err)
			return true
		}
		if s.prompt.open--; s.prompt.open == 0 {
			err = done(s.prompt.index, s.prompt.out)
		}
		return true
	})
	return keep, err
}

// advance computes the newest token of every sequence and draws the next.
func (e *Engine) advance(active []*sequence) error {
	if len(active) == 0 {
		return nil
	}
	rows := make([]model.Row, len(active))
	for i, s := range active {
		rows[i] = model.Row{Cache: s.cache, ID: s.next, Want: true}
	}
	logits, err := e.decoder.Step(rows)
	if err != nil {
		return err
	}
	kernel.Parallel(len(active), func(i int) {
		active[i].take(logits[i*e.vocab:(i+1)*e.vocab], e.maxPos)
	})
	return nil
}

var _ Sampler = (*Engine)(nil)
