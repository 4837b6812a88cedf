package rule

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/judge"
)

// exact compares texts.
type exact struct {
	texts
	key string
}

func newExact(s Settings) (judge.Single, error) { return exact{textsOf(s), s.answerKey()}, nil }

// Verdict compares with the reference and with the lines of meta "accept". A row may have
// only one of them.
func (c exact) Verdict(_ context.Context, q judge.Question, a judge.Answer) (judge.Verdict, error) {
	accepted, err := c.accepted(q)
	if err != nil {
		return judge.Verdict{}, err
	}
	same := slices.ContainsFunc(accepted, func(text string) bool { return c.equal(text, a.Text) })
	return verdict(same, ""), nil
}

// Accepts implements judge.Single: there must be a text to compare with.
func (c exact) Accepts(q judge.Question) error {
	_, err := c.accepted(q)
	return err
}

func (c exact) accepted(q judge.Question) ([]string, error) {
	accepted := slices.DeleteFunc(strings.Split(q.Meta["accept"], "\n"), func(line string) bool {
		return strings.TrimSpace(line) == ""
	})
	reference, err := referenceOf(q, c.key)
	switch {
	case err == nil:
		accepted = append(accepted, reference)
	case len(accepted) == 0:
		return nil, fmt.Errorf("%w, nor meta %q", err, "accept")
	}
	return accepted, nil
}

// texts says which differences to ignore when it compares texts. It always ignores blanks
// around them.
type texts struct{ ignoreCase, ignoreBlanks bool }

func textsOf(s Settings) texts { return texts{s.IgnoreCase, s.IgnoreBlanks} }

func (t texts) equal(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if t.ignoreBlanks {
		a, b = strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " ")
	}
	if t.ignoreCase {
		return strings.EqualFold(a, b)
	}
	return a == b
}
