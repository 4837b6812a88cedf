package sample

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
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
}

// prefillRows is how many prompt tokens are computed at once.
const prefillRows = 256

// NewEngine returns an engine that advances up to slots completions together,
// at least one. It keeps nothing of p (see model.NewDecoder).
func NewEngine(p *model.Params, slots int) (*Engine, error) {
	slots = max(1, slots)
	decoder, err := model.NewDecoder(p, max(slots, prefillRows))
	if err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	return &Engine{
		decoder: decoder, head: p.Head != nil,
		vocab: p.Config.VocabSize, maxPos: p.Config.Context(), slots: slots,
	}, nil
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
	next   token.ID
	ended  bool
	err    error
}

// Generate implements Sampler.
func (e *Engine) Generate(ctx context.Context, requests []Request, done func(int, []Completion) error) error {
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
				waiting = p.sequences()
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
	case r.Stream != nil && len(r.Seeds) > 1:
		return nil, fmt.Errorf("%d completions are asked for, only one can be streamed", len(r.Seeds))
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

func (p *prompt) sequences() []*sequence {
	list := make([]*sequence, len(p.Seeds))
	for i, seed := range p.Seeds {
		p.out[i].Seed = seed
		list[i] = &sequence{prompt: p, sample: i, rng: rand.New(rand.NewPCG(seed, 0))}
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
	if slices.Contains(p.Stop, id) {
		c.Finish, s.ended = Stop, true
		return
	}
	c.IDs = append(c.IDs, id)
	s.next = id
	if p.Stream != nil {
		p.Stream(id)
	}
	if len(c.IDs) == p.MaxTokens || len(p.Prompt)+len(c.IDs) == maxPos {
		c.Finish, s.ended = Length, true
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
