package pack

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/token"
)

// What a stage does with rows that are too long.
const (
	Refuse   = "error"    // return an error that names the row
	Skip     = "skip"     // leave the row out
	Truncate = "truncate" // keep the first tokens
)

// Limit bounds the length of rows: of a prompt with each of its responses. Apply takes a MaxTokens
// of 0 as no limit; Validate refuses it.
type Limit struct {
	MaxTokens int    `yaml:"max_tokens"` // maximum length of a prompt plus its longest response, in tokens
	TooLong   string `yaml:"too_long"`   // what to do with rows longer than max_tokens: error, skip or truncate
}

// Validate returns an error for the first invalid setting, by its YAML name.
func (l Limit) Validate() error {
	if l.MaxTokens <= 1 {
		return fmt.Errorf("max_tokens is %d, expected more than 1", l.MaxTokens)
	}
	if l.TooLong != Refuse && l.TooLong != Skip && l.TooLong != Truncate {
		return fmt.Errorf("too_long is %q, expected %s, %s or %s", l.TooLong, Refuse, Skip, Truncate)
	}
	return nil
}

// Apply returns the examples of one row that are within the limit, cut to it if TooLong is
// Truncate, and counts the row. It leaves out an example from which nothing can be learnt: its cut
// leaves no target, its weights are 0, or its responses are equal, so that a pair has no contrast.
func (l Limit) Apply(examples []Example, count *Count) (kept []Example, err error) {
	f := fate{made: len(examples)}
	count.limit = l
	for _, e := range examples {
		f.partly = f.partly || e.Partly
		long := l.MaxTokens > 0 && e.longest() > l.MaxTokens
		switch {
		case long && l.TooLong == Refuse:
			return nil, fmt.Errorf("row %s has %d tokens, max_tokens is %d: raise it, or set too_long to %s or %s", e.Row, e.longest(), l.MaxTokens, Skip, Truncate)
		case long && l.TooLong == Skip:
			f.long = true
			continue
		case long:
			e = e.truncate(l.MaxTokens)
			f.cut = true
		}
		paired := len(e.Pairs) > 0
		e = e.withContrast()
		switch {
		case paired && len(e.Pairs) == 0:
			f.alike = true
		case e.Targets()+e.Values() == 0 || !(e.Norm > 0):
			f.long = f.long || long
		default:
			kept = append(kept, e)
		}
	}
	count.add(f, len(kept))
	return kept, nil
}

// withContrast leaves out the pairs whose two responses have the same tokens. Their loss is
// constant, but they would count in the norm of a step. The others take over their weight.
func (e Example) withContrast() Example {
	var pairs []token.Pair
	var before, after float32
	for _, p := range e.Pairs {
		before += p.Weight
		if !slices.Equal(e.Responses[p.Chosen].IDs, e.Responses[p.Rejected].IDs) {
			pairs, after = append(pairs, p), after+p.Weight
		}
	}
	if len(pairs) == len(e.Pairs) {
		return e
	}
	for i := range pairs {
		pairs[i].Weight *= before / after
	}
	e.Pairs = pairs
	return e
}

func (e Example) longest() int {
	n := 0
	for _, r := range e.Responses {
		n = max(n, len(r.IDs))
	}
	return len(e.Prompt.IDs) + n
}

// truncate cuts the responses, or the prompt if there are none, after n tokens of the row. If
// the prompt leaves no room for a token of a response, there is nothing to compare, and the row
// keeps nothing.
func (e Example) truncate(n int) Example {
	if len(e.Responses) == 0 {
		e.Prompt = e.Prompt.first(n)
		if e.Prompt.Weight != nil {
			e.Norm = sum(e.Prompt.Weight[1:])
		}
		return e
	}
	room := n - len(e.Prompt.IDs)
	if room <= 0 {
		return Example{Row: e.Row}
	}
	cut := make([]Run, len(e.Responses))
	for i, r := range e.Responses {
		cut[i] = r.first(min(room, len(r.IDs))).weighing(sum(r.Weight))
	}
	e.Responses = cut
	return e
}

func (r Run) first(n int) Run {
	r.IDs = r.IDs[:n]
	if r.Weight != nil {
		r.Weight = r.Weight[:n]
	}
	if r.SeqWeight != nil {
		r.SeqWeight = r.SeqWeight[:n]
	}
	return r
}

// weighing scales the weights of the likelihood so that they add up to total again: the mean over
// the tokens of a response that was cut is the mean over those that are left.
func (r Run) weighing(total float64) Run {
	left := sum(r.Weight)
	if left == total || left == 0 {
		return r
	}
	r.Weight = slices.Clone(r.Weight)
	for i := range r.Weight {
		r.Weight[i] *= float32(total / left)
	}
	return r
}

func sum(x []float32) (s float64) {
	for _, v := range x {
		s += float64(v)
	}
	return s
}
