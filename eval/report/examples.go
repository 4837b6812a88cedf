package report

import (
	"cmp"
	"slices"

	"github.com/herd-lm/herd/data/table"
)

// Maximum lengths of the texts of examples, in characters.
const (
	mostExamples = 6
	mostTurns    = 6
	mostPrompt   = 1200
	mostResponse = 1500
	mostNote     = 200
	mostID       = 80
)

// shelf keeps the first examples in the order of their places, whatever the order of the rows.
type shelf []shown

type shown struct {
	place
	Example
}

func (s *shelf) offer(p prompt, row table.Sample) {
	at, _ := slices.BinarySearchFunc(*s, p.place, func(e shown, at place) int { return e.compare(at) })
	if at >= mostExamples || len(row.Candidates) == 0 {
		return
	}
	*s = slices.Insert(*s, at, shown{p.place, newExample(p.id, row)})
	if len(*s) > mostExamples {
		*s = (*s)[:mostExamples]
	}
}

func (s shelf) examples() []Example {
	var all []Example
	for _, e := range s {
		all = append(all, e.Example)
	}
	return all
}

func newExample(id string, row table.Sample) Example {
	e := Example{ID: id, Samples: len(row.Candidates)}
	turns := row.Prompt
	if left := len(turns) - mostTurns; left > 0 {
		turns = turns[left:]
	}
	for _, m := range turns {
		e.Prompt = append(e.Prompt, Turn{shorten(m.Role, mostID), shorten(m.Content, mostPrompt)})
	}
	order := slices.Clone(row.Candidates)
	slices.SortStableFunc(order, betterFirst)
	last := len(order) - 1
	if betterFirst(order[0], order[last]) == 0 {
		e.Responses = []Response{newResponse("sample", order[0])}
		return e
	}
	e.Responses = []Response{newResponse("best", order[0])}
	if last > 1 {
		e.Responses = append(e.Responses, newResponse("median", order[last/2]))
	}
	e.Responses = append(e.Responses, newResponse("worst", order[last]))
	return e
}

// betterFirst orders by score, then by correctness, then by reward; unknown values come last.
func betterFirst(a, b table.Candidate) int {
	for _, x := range [][2]float64{
		{number(a.Score), number(b.Score)}, {truth(a.Correct), truth(b.Correct)}, {number(a.Reward), number(b.Reward)},
	} {
		if c := cmp.Compare(x[1], x[0]); c != 0 { // NaN sorts as the smallest
			return c
		}
	}
	return 0
}

func newResponse(rank string, c table.Candidate) Response {
	r := Response{
		Rank: rank, K: c.K, Score: finite(c.Score), Reward: finite(c.Reward), Correct: copied(c.Correct),
		Note: shorten(c.Note, mostNote), Finish: shorten(c.Finish, mostID), Tokens: len(c.IDs), Text: shorten(c.Text, mostResponse),
	}
	if r.Score != nil && r.Reward != nil && *r.Score == *r.Reward {
		r.Reward = nil // same as the score
	}
	return r
}

func copied(b *bool) *bool {
	if b == nil {
		return nil
	}
	c := *b
	return &c
}

// finite returns nil for a number that JSON cannot represent.
func finite(x *float64) *float64 {
	if !known(number(x)) {
		return nil
	}
	y := rounded(*x)
	return &y
}
