package eval

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

func prompt(id string) table.Chat {
	return table.Chat{
		Origin: table.Origin{ID: id, Meta: map[string]string{
			"class": "herding", "answer": "llamas", "accept": "Llamas.\nThe llamas.", "max_words": "3",
		}},
		Messages: user("whom? " + id),
	}
}

// TestGrade: what was cut off is not right, whatever it says.
func TestGrade(t *testing.T) {
	for _, c := range []struct {
		text, finish string
		want         rule.Grade
		grade        int
	}{
		{" The llamas.\n", sample.Stop, rule.Grade{Correct: true, Contains: true, WellFormed: true, Concise: true}, 5},
		{"The llamas.", sample.Length, rule.Grade{Contains: true}, 3},
		{"It is the llamas.", sample.Stop, rule.Grade{Contains: true, WellFormed: true}, 4},
		{"no idea", sample.Stop, rule.Grade{Concise: true}, 1},
		{"", sample.Stop, rule.Grade{}, 0},
	} {
		a := grade(prompt("p"), c.text, c.finish)
		if a.Verdict != c.want || a.Grade != c.grade || a.Class != "herding" || a.Text != strings.TrimSpace(c.text) {
			t.Errorf("%q (%s): %+v, want %+v and grade %d", c.text, c.finish, a, c.want, c.grade)
		}
	}
}

// answer is an answer to prompt i of a class that is right or wrong.
func answer(i int, class string, v rule.Grade) Answer {
	return Answer{Prompt: fmt.Sprint(i), Class: class, Verdict: v, Grade: v.Points()}
}

var (
	perfect = rule.Grade{Correct: true, Contains: true, WellFormed: true, Concise: true}
	wordy   = rule.Grade{Contains: true, WellFormed: true}
	wrong   = rule.Grade{Concise: true}
)

func TestQuality(t *testing.T) {
	got := Quality([]Answer{answer(0, "maths", perfect), answer(1, "maths", wordy), answer(2, "people", wrong), answer(3, "", perfect)})
	want := Measures{
		"accuracy": stat.Proportion(2, 4), "contains": stat.Proportion(3, 4), "well_formed": stat.Proportion(3, 4), "concise": stat.Proportion(3, 4),
		"accuracy/maths": stat.Proportion(1, 2), "accuracy/people": stat.Proportion(0, 1),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWinRate(t *testing.T) {
	first := []Answer{answer(0, "", perfect), answer(1, "", wordy), answer(2, "", wrong), answer(3, "", perfect)}
	second := []Answer{answer(0, "", wordy), answer(1, "", wordy), answer(2, "", perfect), answer(3, "", wrong)}
	for _, c := range []struct {
		a, b []Answer
		want stat.Measure
	}{
		{first, second, stat.Proportion(2.5, 4)},
		{second, first, stat.Proportion(1.5, 4)},
		{first, first, stat.Proportion(2, 4)},
		{first[:1], second[:1], stat.Proportion(1, 1)}, // one win is no certainty
	} {
		if got, err := WinRate(c.a, c.b); err != nil || got != c.want {
			t.Errorf("win rate %v, want %v, error %v", got, c.want, err)
		}
	}
	if _, err := WinRate(first, second[:2]); err == nil || !strings.Contains(err.Error(), "4 answers against 2") {
		t.Errorf("error %v", err)
	}
	if _, err := WinRate(first[:2], second[1:3]); err == nil || !strings.Contains(err.Error(), "answer 0 is to prompt 0 in one list and to 1") {
		t.Errorf("error %v", err)
	}
}

// TestAnswers holds the answers against the engine's own completions.
func TestAnswers(t *testing.T) {
	tok := newTokenizer(t)
	p := random(t, tok, false, 7)
	s := sample.Settings{Temperature: 1, MaxTokens: 6}
	var prompts []table.Chat
	for i := range 70 { // more than advance together
		prompts = append(prompts, prompt(fmt.Sprint(i)))
	}
	got, err := Answers(t.Context(), p, tok, prompts, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 33, 69} {
		before, err := formatOf(t, tok).Prompt(prompts[i].Messages)
		if err != nil {
			t.Fatal(err)
		}
		r := sample.Request{Prompt: before, Seeds: []uint64{uint64(i)}, Stop: []token.ID{tok.EOT(), tok.EOS()}, Settings: s}
		w, err := model.Pack(p)
		if err != nil {
			t.Fatal(err)
		}
		engine := engine.New(w, tok, engine.Options{Slots: 1})
		err = engine.Generate(t.Context(), []sample.Request{r}, func(_ int, c []sample.Completion) error {
			if want := grade(prompts[i], tok.DecodeSkipSpecial(c[0].IDs), c[0].Finish); got[i] != want {
				t.Errorf("answer %d is %+v, want %+v", i, got[i], want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnswersErrors(t *testing.T) {
	tok := newTokenizer(t)
	p := random(t, tok, false, 7)
	prompts := []table.Chat{prompt("a"), {Origin: table.Origin{ID: "empty"}}}
	if _, err := Answers(t.Context(), p, tok, prompts, sample.Settings{MaxTokens: 3}, nil); err == nil || !strings.Contains(err.Error(), "row empty") {
		t.Errorf("error %v", err)
	}
	long := prompt("long")
	long.Messages = user(strings.Repeat("whom? ", 40))
	if _, err := Answers(t.Context(), p, tok, []table.Chat{prompt("a"), long}, sample.Settings{MaxTokens: 3}, nil); err == nil || !strings.Contains(err.Error(), "row long") {
		t.Errorf("error %v", err)
	}
}

// TestCheckedAnswers: a rule decides in place of the prompt's own row; the closing turn of a
// prompt is the reference and no part of the prompt.
func TestCheckedAnswers(t *testing.T) {
	tok := newTokenizer(t)
	p := random(t, tok, false, 7)
	s := sample.Settings{Temperature: 1, MaxTokens: 6}
	prompts := []table.Chat{prompt("0"), asked("1", "whom? 1", "x"), asked("2", "whom? 2", "y")}
	check := func(pattern string) judge.Judge {
		j, err := rule.New(rule.Settings{Kind: rule.Regex, Pattern: pattern})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	own, err := Answers(t.Context(), p, tok, prompts, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Answers(t.Context(), p, tok, prompts, s, check("[\\s\\S]|^$"))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range all {
		if want := (Checked{Correct: true, Score: 1}); a.Check == nil || *a.Check != want || !a.Correct() || a.Text != own[i].Text || own[i].Check != nil {
			t.Errorf("answer %+v, by its own row %+v", a, own[i])
		}
	}
	if m := Quality(all); m["accuracy"] != stat.Proportion(3, 3) || m["score"].Value != 1 || len(m) != 3 { // and accuracy/herding
		t.Errorf("measures %v", m)
	}
	none, err := Answers(t.Context(), p, tok, prompts, s, check("[^\\s\\S]"))
	if err != nil {
		t.Fatal(err)
	}
	if m := Quality(none); m["accuracy"] != stat.Proportion(0, 3) {
		t.Errorf("measures %v", m)
	}
	if rate, err := WinRate(all, none); err != nil || rate != stat.Proportion(3, 3) {
		t.Errorf("win rate %v, error %v", rate, err)
	}
	prompts[0].Meta = nil // no reference either
	if _, err := Answers(t.Context(), p, tok, prompts, s, check("(.)")); err == nil || !strings.Contains(err.Error(), "row 0: there is no reference") {
		t.Errorf("error %v", err)
	}
}

// cutOff finds an answer correct if it was cut off.
type cutOff struct{}

func (cutOff) Accepts(judge.Question) error { return nil }

func (cutOff) Verdict(_ context.Context, _ judge.Question, a judge.Answer) (judge.Verdict, error) {
	return judge.Verdict{Correct: judge.CorrectIf(a.Truncated)}, nil
}

// TestChecksKnowWhatWasCutOff: the judge learns which answers reached the limit on tokens.
func TestChecksKnowWhatWasCutOff(t *testing.T) {
	answers := []Answer{{Text: "it i", Finish: sample.Length}, {Text: "it is", Finish: sample.Stop}}
	if err := addChecks(t.Context(), judge.Each(cutOff{}), []table.Chat{prompt("a"), prompt("b")}, answers); err != nil {
		t.Fatal(err)
	}
	if !answers[0].Correct() || answers[1].Correct() {
		t.Errorf("the answer that was cut off: %+v; the other: %+v", answers[0].Check, answers[1].Check)
	}
}
