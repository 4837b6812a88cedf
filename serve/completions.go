package serve

import (
	"math"
	"slices"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// defaultMost is the greatest length of an answer if a request sets none, as in OpenAI's
// API.
const defaultMost = 16

// readCompletion reads the body of POST /v1/completions.
func (s *Server) readCompletion(f *fields, m *served) (*request, encoder, error) {
	q, common, err := s.newRequest(f, m, "cmpl-")
	if err != nil {
		return nil, nil, err
	}
	as := &textEncoder{speller: speller{tok: m.Tokenizer}}
	prompts := readPrompts(f, m, "prompt")
	f.flag("return_tokens_as_token_ids", &as.asIDs)
	common.Detail = f.integer("logprobs", &common.Top, 0, maxTop)
	as.detail, as.top = common.Detail, common.Top
	form, err := readFormat(f)
	if err != nil {
		return nil, nil, err
	}
	f.flag("echo", &as.echo)
	if common.PromptDetail = as.echo && common.Detail; common.PromptDetail && q.stream {
		f.fail("stream", "is not supported with echo and logprobs: the log-probabilities of the prompt come at once")
	}
	best := q.n
	if f.integer("best_of", &best, 1, math.MaxInt32); best != q.n {
		f.fail("best_of", "is not supported unless it equals n")
	}
	most := 0
	if f.integer("max_tokens", &most, 0, math.MaxInt32) && most == 0 {
		if as.only, q.only = true, true; !as.echo {
			f.fail("max_tokens", "is 0, which needs echo: there would be nothing to return")
		}
		most = 1 // drawn, and left out
	}
	if err := f.end(); err != nil {
		return nil, nil, err
	}
	if err := s.addPrompts(q, common, prompts, "max_tokens", most); err != nil {
		return nil, nil, err
	}
	as.prepare(q, most == 0)
	return q, as, m.limit(form, q)
}

// prepare sets up what the encoder keeps for each choice. If short is set, the client set
// no length.
func (c *textEncoder) prepare(q *request, short bool) {
	c.places = make([]place, q.choices())
	for i := range q.requests {
		r := &q.requests[i]
		if short {
			r.MaxTokens = min(r.MaxTokens, defaultMost)
		}
		text := ""
		if prompt := c.tok.DecodeSkipSpecial(r.Prompt); prompt != "" {
			r.Continues = true
			for k := range q.n {
				c.places[i*q.n+k].continues = true
			}
			if c.echo {
				text = prompt
			}
		}
		for range q.n {
			c.prompts = append(c.prompts, text)
			c.ids = append(c.ids, r.Prompt)
		}
	}
}

// textEncoder writes text_completion objects, for streams too.
type textEncoder struct {
	speller
	detail, echo bool
	top          int
	only         bool         // return the prompt alone, without what follows
	prompts      []string     // to echo before each choice; empty: no echo
	ids          [][]token.ID // of these prompts
	places       []place      // of each choice in its stream
}

type textChoice struct {
	Index    int           `json:"index"`
	Text     string        `json:"text"`
	LogProbs *textLogProbs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

func (c *textEncoder) object(bool) string { return "text_completion" }

func (c *textEncoder) logProbs(tokens []sample.Token, k int) *textLogProbs {
	if !c.detail {
		return nil
	}
	return c.speller.text(tokens, c.top, &c.places[k])
}

func (c *textEncoder) choice(k int, a sample.Completion) any {
	if c.only {
		a.Text, a.Tokens, a.Finish = "", nil, sample.Length
	}
	if !c.echo || !c.detail {
		return textChoice{k, c.prompts[k] + a.Text, c.logProbs(a.Tokens, k), &a.Finish}
	}
	return textChoice{k, c.prompts[k] + a.Text, c.echoed(c.ids[k], a, &c.places[k]), &a.Finish}
}

// echoed returns the log-probabilities of a prompt and of what follows. The first token has none.
func (c *textEncoder) echoed(prompt []token.ID, a sample.Completion, p *place) *textLogProbs {
	p.continues = false
	first := c.speller.text([]sample.Token{{ID: prompt[0]}}, c.top, p)
	first.LogProbs[0] = nil
	if c.top > 0 {
		first.Top[0] = nil
	}
	rest := c.speller.text(append(slices.Clone(a.Prompt), a.Tokens...), c.top, p)
	return &textLogProbs{
		Tokens: append(first.Tokens, rest.Tokens...), LogProbs: append(first.LogProbs, rest.LogProbs...),
		Top: append(first.Top, rest.Top...), Offsets: append(first.Offsets, rest.Offsets...),
	}
}

func (c *textEncoder) begin(k int) any {
	if c.prompts[k] == "" {
		return nil
	}
	return textChoice{Index: k, Text: c.prompts[k]}
}

func (c *textEncoder) delta(k int, d sample.Delta) any {
	p := textChoice{Index: k, Text: d.Text}
	if len(d.Tokens) > 0 {
		p.LogProbs = c.logProbs(d.Tokens, k)
	}
	if d.Finish != "" {
		p.Finish = &d.Finish
	}
	if d.Text == "" && p.LogProbs == nil && p.Finish == nil {
		return nil
	}
	return p
}
