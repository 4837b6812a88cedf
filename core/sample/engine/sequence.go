package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// sequence is a text whose keys and values are computed: a completion being drawn
// with its prompt before it, or the prompt of a job alone.
type sequence struct {
	job      *job
	k        int        // which completion of the job; promptOnly: none
	tokens   []token.ID // the prompt, and what was drawn
	computed int        // how many of them have keys and values
	pages    []*page    // which hold those
	kv       []*kernel.Page

	rng       *rand.Rand
	text      *transcript
	penalties penalties
	ended     bool
}

// promptOnly is a sequence's number where it computes what the completions share.
const promptOnly = -1

func (e *Engine) newSequence(j *job, k int) *sequence {
	s := &sequence{job: j, k: k, tokens: slices.Clip(j.Prompt)}
	if k != promptOnly {
		s.rng = rand.New(rand.NewPCG(j.Seeds[k], 0))
		s.text = newTranscript(e.tok, j.Request)
		s.penalties = newPenalties(j.Settings, j.Prompt)
	}
	return s
}

// attach takes the full pages that follow what is computed out of the tree, but
// leaves at least the last token to be computed.
func (s *sequence) attach(p *pages) (found int) {
	for s.computed%kernel.PageTokens == 0 && len(s.tokens)-s.computed > kernel.PageTokens {
		q := p.find(s.last(), s.tokens[s.computed:][:kernel.PageTokens])
		if q == nil {
			break
		}
		s.add(q)
		s.computed += kernel.PageTokens
		found += kernel.PageTokens
	}
	return found
}

// last returns the page of the last computed token, nil if there is none.
func (s *sequence) last() *page {
	if len(s.pages) == 0 {
		return nil
	}
	return s.pages[len(s.pages)-1]
}

func (s *sequence) add(q *page) {
	s.pages, s.kv = append(s.pages, q), append(s.kv, q.kv)
}

// drop gives all pages back; what they held is to be computed again.
func (s *sequence) drop(p *pages) {
	p.releaseAll(s.pages)
	s.pages, s.kv, s.computed = nil, nil, 0
}

// rows appends the next n tokens to compute, for which there are pages. The last of all
// tokens is to give logits.
func (s *sequence) rows(list []model.Row, n int) []model.Row {
	for at := s.computed; at < s.computed+n; at++ {
		list = append(list, model.Row{Pages: s.kv, At: at, ID: s.tokens[at], Want: at == len(s.tokens)-1})
	}
	return list
}

// advance notes that n more tokens are computed, and enters pages that are full into
// the tree.
func (s *sequence) advance(p *pages, n int) {
	from := s.computed / kernel.PageTokens
	s.computed += n
	for i := from; i < s.computed/kernel.PageTokens; i++ {
		var before *page
		if i > 0 {
			before = s.pages[i-1]
		}
		q := p.filled(s.pages[i], before, s.tokens[i*kernel.PageTokens:][:kernel.PageTokens])
		s.pages[i], s.kv[i] = q, q.kv
	}
}

// take draws the next token from logits, and ends s if it is the last. Different
// sequences may do so at the same time.
func (s *sequence) take(logits []float32, d *drawer) {
	j := s.job
	c := &j.out[s.k]
	drawn := d.draw(logits, j.Request, &s.penalties, s.rng)
	c.LogProb += drawn.LogProb
	if math.IsNaN(drawn.LogProb) {
		c.Finish, s.ended = broken, true
		return
	}
	if slices.Contains(j.Stop, drawn.ID) {
		s.end(sample.Stop, nil)
		return
	}
	c.IDs = append(c.IDs, drawn.ID)
	s.tokens = append(s.tokens, drawn.ID)
	s.penalties.count(drawn.ID)
	if j.Detail {
		c.Tokens = append(c.Tokens, drawn)
	} else {
		drawn.LogProb = 0
	}
	switch {
	case s.text.add(drawn.ID):
		s.end(sample.Stop, []sample.Token{drawn})
	case len(c.IDs) == j.room:
		s.end(sample.Length, []sample.Token{drawn})
	case j.Stream != nil:
		j.Stream(s.k, sample.Delta{Text: s.text.news(), Tokens: []sample.Token{drawn}})
	}
}

// broken is the Finish of a completion whose logits are no numbers.
const broken = "broken"

var errNotFinite = fmt.Errorf("the model's logits are not finite: its weights, or what it was trained on, are broken")

// end ends a completion, of which last is yet to be told.
func (s *sequence) end(finish string, last []sample.Token) {
	s.text.close()
	c := &s.job.out[s.k]
	c.Finish, c.Text, s.ended = finish, s.text.String(), true
	if s.job.Stream != nil {
		s.job.Stream(s.k, sample.Delta{Text: s.text.news(), Tokens: last, Finish: finish})
	}
}
