package serve

import (
	"math"
	"net/http"

	"github.com/herd-lm/herd/core/sample"
)

// defaultMost is the longest answer of a completion that asks for none, as in
// OpenAI's API.
const defaultMost = 16

// complete is POST /v1/completions.
func (s *Server) complete(w *reply, r *http.Request) error {
	f, err := s.fields(w, r)
	if err != nil {
		return err
	}
	t, as, err := s.readCompletion(f)
	if err != nil {
		return err
	}
	return s.answer(w, r, t, as)
}

// readCompletion understands the body of a request for continuations.
func (s *Server) readCompletion(f *fields) (*task, shape, error) {
	t, r, err := s.newTask(f, "cmpl-")
	if err != nil {
		return nil, nil, err
	}
	as := &textShape{speller: speller{tok: t.model.Tokenizer}}
	prompts := readPrompts(f, t.model, "prompt")
	f.flag("return_tokens_as_token_ids", &as.asIDs)
	r.Detail = f.integer("logprobs", &r.Top, 0, maxTop)
	as.detail, as.top = r.Detail, r.Top
	if f.flag("echo", &as.echo); as.echo && r.Detail {
		f.fail("logprobs", "is not supported together with echo: a prompt's own are not computed")
	}
	best := t.n
	if f.integer("best_of", &best, 1, math.MaxInt32); best != t.n {
		f.fail("best_of", "is not supported but for the value of n")
	}
	most := 0
	f.integer("max_tokens", &most, 1, math.MaxInt32)
	if err := f.end(); err != nil {
		return nil, nil, err
	}
	if err := s.ask(t, r, prompts, "max_tokens", most); err != nil {
		return nil, nil, err
	}
	as.prepare(t, most == 0)
	return t, as, nil
}

// prepare makes room for what is to be known of each answer. Those that were not
// said how long to be are short.
func (c *textShape) prepare(t *task, short bool) {
	c.places = make([]place, t.choices())
	for i := range t.requests {
		r := &t.requests[i]
		if short {
			r.MaxTokens = min(r.MaxTokens, defaultMost)
		}
		text := ""
		if prompt := c.tok.DecodeSkipSpecial(r.Prompt); prompt != "" {
			r.Continues = true
			if c.echo {
				text = prompt
			}
		}
		for range t.n {
			c.prompts = append(c.prompts, text)
		}
	}
}

// textShape writes text_completion, which a stream is made of too.
type textShape struct {
	speller
	detail, echo bool
	top          int
	prompts      []string // of each answer, if they are to be echoed
	places       []place  // of each answer, in a stream
}

type textChoice struct {
	Index    int           `json:"index"`
	Text     string        `json:"text"`
	LogProbs *textLogProbs `json:"logprobs"`
	Finish   *string       `json:"finish_reason"`
}

func (c *textShape) object(bool) string { return "text_completion" }

func (c *textShape) logProbs(tokens []sample.Token, k int) *textLogProbs {
	if !c.detail {
		return nil
	}
	return c.speller.text(tokens, c.top, &c.places[k])
}

func (c *textShape) choice(k int, a sample.Completion) any {
	return textChoice{k, c.prompts[k] + a.Text, c.logProbs(a.Tokens, k), &a.Finish}
}

func (c *textShape) begin(k int) any {
	if c.prompts[k] == "" {
		return nil
	}
	return textChoice{Index: k, Text: c.prompts[k]}
}

func (c *textShape) piece(k int, d sample.Delta) any {
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
