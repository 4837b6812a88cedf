package rule

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule/number"
)

// numeric compares the number that a response gives as its answer with the number of the
// reference, exactly. [number.Find] says where it looks for the number.
type numeric struct {
	key       string
	marked    bool
	tolerance *big.Rat
}

func newNumeric(s Settings) (judge.Single, error) {
	// Take the decimals as written, not those of the nearest float64.
	tolerance, ok := new(big.Rat).SetString(strconv.FormatFloat(s.Tolerance, 'g', -1, 64))
	if !ok {
		return nil, fmt.Errorf("tolerance %g is no number", s.Tolerance)
	}
	return numeric{s.answerKey(), s.Marked, tolerance}, nil
}

func (c numeric) Verdict(_ context.Context, q judge.Question, a judge.Answer) (judge.Verdict, error) {
	want, err := c.expected(q)
	if err != nil {
		return judge.Verdict{}, err
	}
	got, err := number.Find(a.Text)
	switch {
	case err != nil:
		return wrong("%s", brief(err.Error())), nil
	case c.marked && got.Mark == "":
		return wrong("no answer is marked; the last number is %s", brief(got.String())), nil
	}
	return verdict(c.equal(got.Value, want.Value), "%s", brief(got.String())), nil
}

// Accepts implements judge.Single: the reference must be a number.
func (c numeric) Accepts(q judge.Question) error {
	_, err := c.expected(q)
	return err
}

// expected returns the number of the reference.
func (c numeric) expected(q judge.Question) (number.Answer, error) {
	reference, err := referenceOf(q, c.key)
	if err != nil {
		return number.Answer{}, err
	}
	want, err := number.Find(reference)
	if err != nil {
		return number.Answer{}, fmt.Errorf("row %s: the reference %q: %w", q.ID, brief(reference), err)
	}
	return want, nil
}

func (c numeric) equal(a, b *big.Rat) bool {
	difference := new(big.Rat).Sub(a, b)
	return difference.Abs(difference).Cmp(c.tolerance) <= 0
}
