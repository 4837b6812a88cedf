package remote

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// logProbs has two forms: three lists for completions, and Content for chats.
// llama-server uses the form of chats for both.
type logProbs struct {
	Tokens        []string              `json:"tokens"`
	TokenLogProbs []*float64            `json:"token_logprobs"`
	TopLogProbs   []map[string]*float64 `json:"top_logprobs"`
	Content       []logProb             `json:"content"`
}

type logProb struct {
	Token   string    `json:"token"`
	ID      *token.ID `json:"id"` // llama-server
	LogProb *float64  `json:"logprob"`
	Top     []logProb `json:"top_logprobs"`
}

// drawn is the tokens of a choice, with the token that ended it if the server reports it.
// An unknown id is tokenizer.None, an unknown log-probability is NaN.
type drawn []sample.Token

// drawn returns the tokens of a choice, as far as the server reports them.
func (c choice) drawn() (drawn, error) {
	d := c.LogProbs.drawn()
	if n := len(c.TokenIDs); n > 0 && n != len(d) {
		d = make(drawn, n)
		for i := range d {
			d[i].LogProb = math.NaN()
		}
	}
	for i, id := range c.TokenIDs {
		if id < 0 {
			return nil, fmt.Errorf("token %d is %d", i, id)
		}
		d[i].ID = id
	}
	return d, nil
}

func (l *logProbs) drawn() drawn {
	switch {
	case l == nil:
		return nil
	case len(l.Content) > 0:
		d := make(drawn, len(l.Content))
		for i, p := range l.Content {
			d[i] = sample.Token{ID: p.id(), LogProb: valueOf(p.LogProb), Top: p.alternatives()}
		}
		return d
	}
	d := make(drawn, len(l.TokenLogProbs))
	for i, p := range l.TokenLogProbs {
		d[i] = sample.Token{ID: tokenizer.None, LogProb: valueOf(p)}
		if i < len(l.Tokens) {
			d[i].ID = idOf(l.Tokens[i])
		}
		if i < len(l.TopLogProbs) {
			for name, p := range l.TopLogProbs[i] {
				d[i].Top = append(d[i].Top, sample.Alternative{ID: idOf(name), LogProb: valueOf(p)})
			}
		}
	}
	return d
}

func (p logProb) id() token.ID {
	if p.ID != nil && *p.ID >= 0 {
		return *p.ID
	}
	return idOf(p.Token)
}

func (p logProb) alternatives() (list []sample.Alternative) {
	for _, other := range p.Top {
		list = append(list, sample.Alternative{ID: other.id(), LogProb: valueOf(other.LogProb)})
	}
	return list
}

// idOf parses vLLM's names of tokens with return_tokens_as_token_ids, such as token_id:17.
func idOf(name string) token.ID {
	digits, ok := strings.CutPrefix(name, "token_id:")
	if id, err := strconv.ParseUint(digits, 10, 31); ok && err == nil {
		return token.ID(id)
	}
	return tokenizer.None
}

func valueOf(p *float64) float64 {
	if p == nil {
		return math.NaN()
	}
	return *p
}

// ids returns the ids of all tokens, or nil if one is unknown.
func (d drawn) ids() []token.ID {
	var ids []token.ID
	for _, t := range d {
		if t.ID == tokenizer.None {
			return nil
		}
		ids = append(ids, t.ID)
	}
	return ids
}

// sum returns the sum of the log-probabilities, NaN if there is none.
func (d drawn) sum() (sum float64) {
	if len(d) == 0 {
		return math.NaN()
	}
	for _, t := range d {
		sum += t.LogProb
	}
	return sum
}

// stop returns the index of the first token in stop, or -1.
func (d drawn) stop(stop []token.ID) int {
	return slices.IndexFunc(d, func(t sample.Token) bool { return slices.Contains(stop, t.ID) })
}

// tokens returns the tokens for Completion.Tokens, with at most top alternatives each. It
// returns nil if the server does not report ids and log-probabilities.
func (d drawn) tokens(top int) []sample.Token {
	if d.ids() == nil || math.IsNaN(d.sum()) {
		return nil
	}
	for i := range d {
		d[i].Top = likeliest(d[i].Top, top)
	}
	return d
}

// likeliest returns the n likeliest alternatives, sorted; equal ones sort by id.
func likeliest(list []sample.Alternative, n int) []sample.Alternative {
	list = slices.DeleteFunc(list, func(a sample.Alternative) bool {
		return a.ID == tokenizer.None || math.IsNaN(a.LogProb)
	})
	slices.SortFunc(list, func(a, b sample.Alternative) int {
		return cmp.Or(cmp.Compare(b.LogProb, a.LogProb), cmp.Compare(a.ID, b.ID))
	})
	return list[:min(n, len(list))]
}

// endedBy reports whether the last token ended the choice and is not part of it: a stop
// token, the token that the server names, or a special token if it names none.
func (c choice) endedBy(d drawn, stop []token.ID, tok *tokenizer.Tokenizer) bool {
	if len(d) == 0 {
		return false
	}
	last := d[len(d)-1].ID
	if slices.Contains(stop, last) {
		return true
	}
	var reason token.ID
	if json.Unmarshal(c.StopReason, &reason) == nil && string(c.StopReason) != "null" {
		return last == reason
	}
	return tok != nil && tok.IsSpecial(last)
}

// continuation returns the text of ids behind a prompt, as servers return it: it keeps a
// leading blank that the text alone would lose.
func continuation(tok *tokenizer.Tokenizer, prompt, ids []token.ID) string {
	stream := tok.Stream()
	stream.SkipSpecial = true
	for _, id := range prompt {
		stream.Next(id)
	}
	stream.Flush()
	var text strings.Builder
	for _, id := range ids {
		text.WriteString(stream.Next(id))
	}
	return text.String() + stream.Flush()
}
