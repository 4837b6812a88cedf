package rule

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/judge"
)

// outcome judges one response.
func outcome(t testing.TB, s Settings, q judge.Question, response string) judge.Verdict {
	t.Helper()
	c, err := newRule(s)
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.Verdict(t.Context(), q, judge.Answer{Text: response})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestExact(t *testing.T) {
	row := judge.Question{Meta: map[string]string{"answer": "Arlen"}, Reference: "Brask"}
	world := judge.Question{Meta: map[string]string{"answer": "Arlen", "accept": "Mira lives in Arlen.\n\nIn Arlen.\n"}}
	for _, c := range []struct {
		settings Settings
		question judge.Question
		response string
		correct  bool
	}{
		{Settings{}, row, "Arlen", true},
		{Settings{}, row, " \nArlen\t", true},
		{Settings{}, row, "Brask", false},
		{Settings{}, row, "arlen", false},
		{Settings{}, row, "Arlen.", false},
		{Settings{}, row, "", false},
		{Settings{IgnoreCase: true}, row, "ARLEN", true},
		{Settings{IgnoreCase: true}, row, "ARLEM", false},
		{Settings{Answer: "other"}, row, "Brask", true}, // the row has no meta of that key
		{Settings{}, world, "In Arlen.", true},
		{Settings{}, world, "Mira lives in Arlen.", true},
		{Settings{}, world, "Mira lives\nin Arlen.", false},
		{Settings{IgnoreBlanks: true}, world, "Mira lives\n  in Arlen.", true},
		{Settings{IgnoreBlanks: true}, world, "Miralives in Arlen.", false},
		{Settings{}, world, "Mira lives in Arlen.\n\nIn Arlen.", false},
		{Settings{}, world, "", false},
		{Settings{}, judge.Question{Meta: map[string]string{"accept": "a\nb"}}, "b", true},
		{Settings{After: "</think>"}, row, "<think>Brask? No.</think>\nArlen", true},
		{Settings{After: "</think>"}, row, "Arlen</think>Brask", false},
		{Settings{After: "</think>"}, row, "Is </think> a mark?</think>Arlen", true},
		{Settings{After: "</think>"}, row, "Arlen", false},
	} {
		c.settings.Kind = Exact
		if o := outcome(t, c.settings, c.question, c.response); (o.Correct == judge.Correct) != c.correct || o.Score == 1 != c.correct {
			t.Errorf("%+v, %q: %+v, want %v", c.settings, c.response, o, c.correct)
		}
	}
}

func TestRegex(t *testing.T) {
	row := judge.Question{Reference: "B"}
	for _, c := range []struct {
		settings Settings
		response string
		correct  bool
	}{
		{Settings{Pattern: `\bgoats?\b`}, "Two goats.", true},
		{Settings{Pattern: `\bgoats?\b`}, "Two Goats.", false},
		{Settings{Pattern: `goat|sheep`, Whole: true}, "\nsheep ", true},
		{Settings{Pattern: `goat|sheep`, Whole: true}, "a sheep", false},
		{Settings{Pattern: `goat|sheep`, Whole: true}, "goat sheep", false},
		{Settings{Pattern: `\(([A-D])\)`}, "It is (B).", true},
		{Settings{Pattern: `\(([A-D])\)`}, "It is (A).", false},
		{Settings{Pattern: `\(([A-D])\)`}, "It is (A), no, (B).", true},
		{Settings{Pattern: `\(([A-D])\)`}, "It is (B), no, (A).", false},
		{Settings{Pattern: `\(([A-D])\)`}, "It is B.", false},
		{Settings{Pattern: `(?i)\(([A-D])\)`}, "(b)", false},
		{Settings{Pattern: `(?i)\(([A-D])\)`, IgnoreCase: true}, "(b)", true},
		{Settings{Pattern: `([A-D]) or (?:[A-D])`, Whole: true}, "B or C", true},
		{Settings{Pattern: `(?:([A-D])|none)`}, "none", false},
	} {
		c.settings.Kind = Regex
		if o := outcome(t, c.settings, row, c.response); (o.Correct == judge.Correct) != c.correct || o.Score == 1 != c.correct {
			t.Errorf("%+v, %q: %+v, want %v", c.settings, c.response, o, c.correct)
		}
	}
}

// TestNoReference: a row without what a response is compared with is no wrong answer.
func TestNoReference(t *testing.T) {
	for _, c := range []struct {
		settings Settings
		question judge.Question
		want     string
	}{
		{Settings{Kind: Exact}, judge.Question{ID: "7"}, `row 7: there is no reference to check against: the row has neither meta "answer" nor a closing turn of the assistant, nor meta "accept"`},
		{Settings{Kind: Numeric, Answer: "n"}, judge.Question{ID: "7", Meta: map[string]string{"answer": "1", "n": " "}}, `row 7: there is no reference to check against: the row has neither meta "n"`},
		{Settings{Kind: Regex, Pattern: "(x)"}, judge.Question{ID: "7"}, "row 7: there is no reference"},
		{Settings{Kind: Numeric}, judge.Question{ID: "7", Reference: "none"}, `row 7: the reference "none": there is no number`},
		{Settings{Kind: Numeric}, judge.Question{ID: "7", Reference: "5 or 6"}, `row 7: the reference "5 or 6": "5 or 6" is not one number`},
	} {
		checker, err := newRule(c.settings)
		if err != nil {
			t.Fatal(err)
		}
		if o, err := checker.Verdict(t.Context(), c.question, judge.Answer{Text: "x 1"}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %+v, error %v, want %q", c.settings, o, err, c.want)
		}
	}
}

// TestConcurrent asks each kind of checker from many goroutines.
func TestConcurrent(t *testing.T) {
	for _, s := range []Settings{
		{Kind: Exact},
		{Kind: Numeric},
		{Kind: Regex, Pattern: `(\d+)`},
		{Kind: Schema, Schema: `{"minimum": 0, "exclusiveMaximum": 1}`},
		judging(t, "input"),
	} {
		t.Run(s.Kind, func(t *testing.T) {
			checker, err := newRule(s)
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for i := range 40 {
				all.Go(func() {
					q := judge.Question{ID: fmt.Sprint(i), Reference: fmt.Sprint(i % 2), Prompt: promptOf("Which?")}
					o, err := checker.Verdict(t.Context(), q, judge.Answer{Text: fmt.Sprint(i / 2 % 2)})
					want := i%2 == i/2%2
					switch s.Kind {
					case Schema:
						want = i/2%2 == 0
					case Command:
						want = strings.HasPrefix(o.Note, q.ID+" ")
					}
					if err != nil || (o.Correct == judge.Correct) != want {
						t.Errorf("%d: %+v, error %v, want %v", i, o, err, want)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestAccepts: a question without the reference that a rule needs is refused before any
// answer exists, behind a mark too; what needs none accepts it.
func TestAccepts(t *testing.T) {
	bare, good := judge.Question{ID: "7"}, judge.Question{ID: "7", Reference: "42"}
	for _, c := range []struct {
		settings Settings
		needs    bool
	}{
		{Settings{Kind: Exact}, true},
		{Settings{Kind: Numeric}, true},
		{Settings{Kind: Numeric, After: "</think>"}, true},
		{Settings{Kind: Regex, Pattern: "(x)"}, true},
		{Settings{Kind: Regex, Pattern: "x"}, false},
		{Settings{Kind: Schema, Schema: "{}"}, false},
		{judging(t, "exit", "7"), false}, // and the command is not run
	} {
		r, err := New(c.settings)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Accepts(bare); (err != nil) != c.needs {
			t.Errorf("%+v without a reference: error %v", c.settings, err)
		}
		if err := r.Accepts(good); err != nil {
			t.Errorf("%+v with a reference: error %v", c.settings, err)
		}
	}
}

// TestByPrompt: the judge gives the grade of the prompt's row, knows what it does not know,
// and never finds a truncated answer correct.
func TestByPrompt(t *testing.T) {
	row := judge.Question{Meta: map[string]string{"answer": "Arlen", "accept": "In Arlen.", "max_words": "3"}}
	bare := judge.Question{Meta: map[string]string{"answer": "Arlen"}}
	answers := []judge.Answer{{Text: "In Arlen."}, {Text: "In Arlen.", Truncated: true}, {Text: "Brask"}}
	got, err := ByPrompt().Verdicts(t.Context(), []judge.Item{{Question: row, Answers: answers}, {Question: bare, Answers: answers}})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]judge.Verdict{
		{{Score: 1, Correct: judge.Correct}, {Score: 0.6, Correct: judge.Wrong}, {Score: 0.2, Correct: judge.Wrong}},
		{{Score: 0.8}, {Score: 0.6}, {Score: 0}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
