package judge

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestCorrectFirst: every correct response is above every wrong one, and among equals
// the reward decides, also where rewards are large.
func TestCorrectFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	draw := func() (bool, float64) { return rng.IntN(2) == 0, rng.NormFloat64() * 1000 }
	for range 10000 {
		ac, ar := draw()
		bc, br := draw()
		above := ac && !bc || ac == bc && ar > br
		if got := correctFirst(ac, ar) > correctFirst(bc, br); got != above {
			t.Fatalf("%v %g over %v %g: %v, want %v", ac, ar, bc, br, got, above)
		}
	}
}

// words is a reward model that rewards an answer with as many points as it has words.
type words struct{}

func (words) Accepts(q Question) error {
	if q.ID == "" {
		return errors.New("no id")
	}
	return nil
}

func (words) Verdicts(_ context.Context, items []Item) ([][]Verdict, error) {
	all := make([][]Verdict, len(items))
	for i, item := range items {
		for _, a := range item.Answers {
			x := float64(len(strings.Fields(a.Text)))
			all[i] = append(all[i], Verdict{Score: x, Reward: &x})
		}
	}
	return all, nil
}

// ends is a rule: an answer is right if it ends with the reference.
type ends struct{}

func (ends) Accepts(q Question) error {
	if q.Reference == "" {
		return errors.New("no reference")
	}
	return nil
}

func (ends) Verdict(_ context.Context, q Question, a Answer) (Verdict, error) {
	if a.Text == "broken" {
		return Verdict{}, errors.New("cannot judge")
	}
	v := Verdict{Correct: CorrectIf(strings.HasSuffix(a.Text, q.Reference)), Note: a.Text}
	if v.Correct == Correct {
		v.Score = 1
	}
	return v, nil
}

func TestCombine(t *testing.T) {
	item := Item{Question{ID: "1", Reference: "#### 42"}, []Answer{{Text: "#### 42"}, {Text: "it must be #### 41"}, {Text: "so it is #### 42"}, {Text: "no"}}}
	for by, want := range map[string][]float64{ // of 2, 5, 5 and 1 words
		CorrectFirst: {1 + 2./6, 5. / 12, 1 + 5./12, 1. / 4},
		Sum:          {2 + 10, 5, 5 + 10, 1},
	} {
		all, err := Combine(Each(ends{}), words{}, by, 10).Verdicts(t.Context(), []Item{item, {}})
		if err != nil || len(all) != 2 || len(all[1]) != 0 {
			t.Fatalf("%v, error %v", all, err)
		}
		var got []float64
		for k, v := range all[0] {
			got = append(got, v.Score)
			text := item.Answers[k].Text
			if right := strings.HasSuffix(text, "42"); (v.Correct == Correct) != right || *v.Reward != float64(len(strings.Fields(text))) || v.Note != text {
				t.Errorf("%s: %q is %v with reward %g and score %g", by, text, v.Correct, *v.Reward, v.Score)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: scores %v, want %v", by, got, want)
		}
	}
}

// TestCombineErrors: neither of the two may fail or refuse, and a rule is no reward model.
func TestCombineErrors(t *testing.T) {
	both := Combine(Each(ends{}), words{}, Sum, 1)
	for _, c := range []struct {
		judge    Judge
		question Question
		text     string
		accepts  bool
		want     string
	}{
		{both, Question{ID: "1", Reference: "x"}, "x", true, ""},
		{both, Question{ID: "1"}, "x", false, ""},
		{both, Question{Reference: "x"}, "x", false, ""},
		{both, Question{ID: "1", Reference: "x"}, "broken", true, "cannot judge"},
		{Combine(Each(ends{}), Each(ends{}), Sum, 1), Question{Reference: "x"}, "x", true, "has no reward"},
	} {
		if err := c.judge.Accepts(c.question); (err == nil) != c.accepts {
			t.Errorf("%+v: Accepts returns %v", c.question, err)
		}
		_, err := c.judge.Verdicts(t.Context(), []Item{{c.question, []Answer{{Text: c.text}}}})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v, %q: error %v, want %q", c.question, c.text, err, c.want)
		}
	}
}
