package check

import (
	"context"
	"fmt"
	"math/big"
	"strconv"

	"github.com/herd-lm/herd/data/check/number"
)

// numeric compares the number that a response gives as its answer with the
// reference's, exactly: [number.Find] says where it is looked for.
type numeric struct {
	key       string
	marked    bool
	tolerance *big.Rat
}

func newNumeric(s Settings) (Checker, error) {
	// The decimals that were written, not those of the nearest float64.
	tolerance, ok := new(big.Rat).SetString(strconv.FormatFloat(s.Tolerance, 'g', -1, 64))
	if !ok {
		return nil, fmt.Errorf("tolerance %g is no number", s.Tolerance)
	}
	return numeric{s.answerKey(), s.Marked, tolerance}, nil
}

func (c numeric) Check(_ context.Context, q Question, response string) (Outcome, error) {
	reference, err := q.reference(c.key)
	if err != nil {
		return Outcome{}, err
	}
	want, err := number.Find(reference)
	if err != nil {
		return Outcome{}, fmt.Errorf("row %s: the reference %q: %w", q.ID, brief(reference), err)
	}
	got, err := number.Find(response)
	switch {
	case err != nil:
		return wrong("%s", brief(err.Error())), nil
	case c.marked && got.Mark == "":
		return wrong("no answer is marked; the last number is %s", brief(got.String())), nil
	}
	return judged(c.equal(got.Value, want.Value), "%s", brief(got.String())), nil
}

func (c numeric) equal(a, b *big.Rat) bool {
	difference := new(big.Rat).Sub(a, b)
	return difference.Abs(difference).Cmp(c.tolerance) <= 0
}
