package engine

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// sequence is a text with cached keys and values: one completion of a request behind the
// prompt, or the prompt alone.
type sequence struct {
	request  *request
	k        int        // index of the completion in the request, or prefill
	tokens   []token.ID // the prompt, and the tokens drawn so far
	computed int        // how many of tokens have keys and values
	pages    []*page    // which hold these
	kv       []*kernel.Page

	rng       *rand.Rand
	text      *detokenizer
	penalties penalties
	limits    constrained
	ended     bool
	err       error // why it failed, if it did
}

// prefill is the index of the sequence that computes the prompt which all completions
// of a request share.
const prefill = -1

func newSequence(r *request, k int, tok *tokenizer.Tokenizer) *sequence {
	q := &sequence{request: r, k: k, tokens: slices.Clip(r.Prompt)}
	if k != prefill {
		q.rng = rand.New(rand.NewPCG(r.Seeds[k], 0))
		q.text = newDetokenizer(tok, r.Request)
		q.penalties = newPenalties(r.Settings, r.Prompt)
		q.err = q.limits.begin(r.Request)
	}
	return q
}

func (q *sequence) isPrefill() bool { return q.k == prefill }

// scores reports whether the sequence computes the log-probabilities of a prompt.
func (q *sequence) scores() bool { return q.isPrefill() && q.request.PromptDetail }

// score appends the log-probabilities of the tokens that follow those from position from on.
// logits has a row [V] for each of these.
func (q *sequence) score(logits []float32, vocab, from int, s *sampler) {
	r := q.request
	r.scored = r.scored[:min(from, len(r.scored))] // a preempted prefill computes them again
	for at := from; at < from+len(logits)/vocab && at+1 < len(q.tokens); at++ {
		r.scored = append(r.scored, s.given(logits[(at-from)*vocab:][:vocab], q.tokens[at+1], r.Request))
	}
}

// attach takes cached full pages that follow the computed tokens. It leaves at least the
// last token to compute.
func (q *sequence) attach(p *pages) (found int) {
	if q.scores() {
		return 0
	}
	for q.computed%kernel.PageTokens == 0 && len(q.tokens)-q.computed > kernel.PageTokens {
		next := p.find(q.last(), q.tokens[q.computed:][:kernel.PageTokens])
		if next == nil {
			break
		}
		q.add(next)
		q.computed += kernel.PageTokens
		found += kernel.PageTokens
	}
	return found
}

// last returns the page of the last computed token, nil if there is none.
func (q *sequence) last() *page {
	if len(q.pages) == 0 {
		return nil
	}
	return q.pages[len(q.pages)-1]
}

func (q *sequence) add(next *page) {
	q.pages, q.kv = append(q.pages, next), append(q.kv, next.kv)
}

// drop releases all pages. A sequence that continues computes its tokens again.
func (q *sequence) drop(p *pages) {
	p.releaseAll(q.pages)
	q.pages, q.kv, q.computed = nil, nil, 0
}

// rows appends the next n tokens to compute, which have pages. Only the last of all
// tokens asks for logits, or all of a prompt to score.
func (q *sequence) rows(list []model.Row, n int) []model.Row {
	for at := q.computed; at < q.computed+n; at++ {
		list = append(list, model.Row{Pages: q.kv, At: at, ID: q.tokens[at], Want: q.scores() || at == len(q.tokens)-1})
	}
	return list
}

// advance records that n more tokens are computed, and inserts the pages that are now
// full into the cache.
func (q *sequence) advance(p *pages, n int) {
	from := q.computed / kernel.PageTokens
	q.computed += n
	for i := from; i < q.computed/kernel.PageTokens; i++ {
		var before *page
		if i > 0 {
			before = q.pages[i-1]
		}
		full := p.insert(q.pages[i], before, q.tokens[i*kernel.PageTokens:][:kernel.PageTokens])
		q.pages[i], q.kv[i] = full, full.kv
	}
}

// draw draws the next token from logits [V], and ends the completion if that was its
// last token. Several sequences may draw at the same time.
func (q *sequence) draw(logits []float32, s *sampler) {
	r := q.request
	c := &r.completions[q.k]
	if q.err != nil {
		q.ended = true
		return
	}
	drawn := s.draw(logits, r.Request, &q.penalties, q.limits.allowed, q.rng)
	c.LogProb += drawn.LogProb
	switch {
	case math.IsNaN(drawn.LogProb):
		q.err, q.ended = errNotFinite, true
	case slices.Contains(r.Stop, drawn.ID):
		q.end(sample.Stop, nil)
	default:
		q.append(drawn)
	}
}

// append adds a token to the completion, streams it, and ends the completion at a stop
// string, where its constraint allows no more, or at its greatest length.
func (q *sequence) append(drawn sample.Token) {
	r := q.request
	c := &r.completions[q.k]
	c.IDs = append(c.IDs, drawn.ID)
	q.tokens = append(q.tokens, drawn.ID)
	q.penalties.count(drawn.ID)
	if r.Detail {
		c.Tokens = append(c.Tokens, drawn)
	} else {
		drawn.LogProb = 0
	}
	q.err = q.limits.next(drawn.ID, r.Stop)
	switch {
	case q.err != nil:
		q.ended = true
	case q.text.add(drawn.ID) || q.limits.over:
		q.end(sample.Stop, []sample.Token{drawn})
	case len(c.IDs) == r.room:
		q.end(sample.Length, []sample.Token{drawn})
	case r.Stream != nil:
		r.Stream(q.k, sample.Delta{Text: q.text.delta(), Tokens: []sample.Token{drawn}})
	}
}

// end ends a completion, and streams its last tokens.
func (q *sequence) end(finish string, last []sample.Token) {
	q.text.close()
	c := &q.request.completions[q.k]
	c.Finish, c.Text, q.ended = finish, q.text.String(), true
	if q.request.Stream != nil {
		q.request.Stream(q.k, sample.Delta{Text: q.text.delta(), Tokens: last, Finish: finish})
	}
}
