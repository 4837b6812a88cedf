package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// exact compares texts.
type exact struct {
	texts
	key string
}

func newExact(s Settings) (Checker, error) { return exact{textsOf(s), s.answerKey()}, nil }

// Check compares with the reference and with the lines of meta "accept"; a row
// may have only the one or the other.
func (c exact) Check(_ context.Context, q Question, response string) (Outcome, error) {
	accepted := slices.DeleteFunc(strings.Split(q.Meta["accept"], "\n"), func(line string) bool {
		return strings.TrimSpace(line) == ""
	})
	reference, err := q.reference(c.key)
	switch {
	case err == nil:
		accepted = append(accepted, reference)
	case len(accepted) == 0:
		return Outcome{}, fmt.Errorf("%w, nor meta %q", err, "accept")
	}
	same := slices.ContainsFunc(accepted, func(text string) bool { return c.equal(text, response) })
	return judged(same, ""), nil
}

// texts says what does not count when texts are compared: blanks around them
// never do.
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
