package rejection

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/check"
	"github.com/herd-lm/herd/data/table"
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

// rewards is a scorer that gives a response as many points as it has words.
type rewards struct{}

func (rewards) admits(prompt) error { return nil }
func (rewards) score(_ context.Context, rows []table.Sample) error {
	for _, row := range rows {
		for k := range row.Candidates {
			x := float64(len(strings.Fields(row.Candidates[k].Text)))
			row.Candidates[k].Reward, row.Candidates[k].Score = &x, &x
		}
	}
	return nil
}

func TestCombined(t *testing.T) {
	c, err := newChecker(check.Settings{Kind: check.Numeric})
	if err != nil {
		t.Fatal(err)
	}
	row := prompt{Chat: table.Chat{Origin: table.Origin{ID: "1"}}, reference: "It is so.\n#### 42"}.row([]table.Candidate{
		{Text: "#### 42"}, {Text: "it must be #### 41"}, {Text: "so it is #### 42"}, {Text: "no"},
	})
	for rule, want := range map[string][]float64{ // of 2, 5, 5 and 1 words
		CorrectFirst: {1 + 2./6, 5. / 12, 1 + 5./12, 1. / 4},
		Sum:          {2 + 10, 5, 5 + 10, 1},
	} {
		if err := (combined{c, rewards{}, rule, 10}).score(t.Context(), []table.Sample{row}); err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, r := range row.Candidates {
			got = append(got, *r.Score)
			if right := strings.HasSuffix(r.Text, "42"); *r.Correct != right || *r.Reward != float64(len(strings.Fields(r.Text))) {
				t.Errorf("%s: %q is %v with reward %g and score %g", rule, r.Text, *r.Correct, *r.Reward, *r.Score)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: scores %v, want %v", rule, got, want)
		}
	}
}

// TestQuestionChanged: with another reference what was drawn is judged again.
func TestQuestionChanged(t *testing.T) {
	s := fixture(t, 0)
	s.Reward, s.Check, s.Pick.CutOff = "", check.Settings{Kind: check.Regex, Pattern: "(.)"}, true
	write := func(answer string) {
		row := ask("1", "What?", chat.Message{Role: "assistant", Content: answer})
		if err := table.WriteAll(s.Prompts[0], table.Header{}, []table.Chat{row}); err != nil {
			t.Fatal(err)
		}
	}
	write("\x01") // no answer begins so
	if err := Run(t.Context(), s, Options{}); err == nil || !strings.Contains(err.Error(), "0 were correct") {
		t.Fatalf("no answer is right: error %v", err)
	}
	rows, _, err := table.ReadAll[table.Sample](filepath.Join(s.Out, SamplesFile))
	if err != nil {
		t.Fatal(err)
	}
	write(string([]rune(rows[0].Candidates[0].Text)[:1]))
	var sum Summary
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Summarise: func(got Summary) { sum = got }}); err != nil {
		t.Fatal(err)
	}
	if sum.Drawn != 0 || sum.Correct == 0 {
		t.Errorf("%+v", sum)
	}
}
