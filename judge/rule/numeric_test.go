package rule

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/realdata"
	"github.com/herd-lm/herd/judge"
)

func TestNumeric(t *testing.T) {
	row := judge.Question{ID: "7", Meta: map[string]string{"answer": "1,234.50"}}
	solution := judge.Question{ID: "7", Reference: "48 + 24 = 72\n#### 72"}
	third := judge.Question{ID: "7", Reference: "10/3"}
	for _, c := range []struct {
		settings Settings
		question judge.Question
		response string
		correct  bool
		note     string
	}{
		{Settings{}, row, "It is $1234.5.", true, "1234.5"},
		{Settings{}, row, "#### 1234.50", true, "1234.5"},
		{Settings{}, row, "#### 1234.05", false, "1234.05"},
		{Settings{}, row, "no idea", false, "there is no number"},
		{Settings{}, row, "1234.5 or 1234.6", false, `"1234.5 or 1234.6" is not one number`},
		{Settings{}, solution, "72 clips", true, "72"},
		{Settings{}, solution, "72.0000000000000000000000001 clips", false, "72.0000000000000000000000001"},
		{Settings{}, solution, "24", false, "24"},
		{Settings{}, third, "3 1/3", true, "10/3"},
		{Settings{}, third, "3.3333333333333333", false, "3.3333333333333333"},
		{Settings{Tolerance: 0.01}, third, "3.33", true, "3.33"},
		{Settings{Tolerance: 0.1}, solution, "71.9", true, "71.9"}, // in float64 the difference is more than 0.1
		{Settings{Tolerance: 0.1}, solution, "72.1", true, "72.1"},
		{Settings{Tolerance: 0.1}, solution, "72.11", false, "72.11"},
		{Settings{Marked: true}, solution, "It is 72", false, "no answer is marked; the last number is 72"},
		{Settings{Marked: true}, solution, "The answer is 72", true, "72"},
		{Settings{Answer: "solution"}, judge.Question{Meta: map[string]string{"answer": "1", "solution": "2"}}, "2", true, "2"},
	} {
		c.settings.Kind = Numeric
		o := outcome(t, c.settings, c.question, c.response)
		if (o.Correct == judge.Correct) != c.correct || o.Note != c.note {
			t.Errorf("%+v, %q: %+v, want %v with note %q", c.settings, c.response, o, c.correct, c.note)
		}
	}
}

// TestGSM8K judges every reference solution by its own row, and by those of other
// rows, whose answers are wrong unless they happen to be equal.
func TestGSM8K(t *testing.T) {
	file := realdata.Path(t, "data", "reasoning", "gsm8k-train.jsonl.gz")
	path := filepath.Join(t.TempDir(), "gsm8k.arrow")
	if _, err := format.Import(path, []string{file}, format.ImportSettings{}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Chat](path)
	if err != nil || len(rows) != 7473 {
		t.Fatalf("%d rows, %v, want 7473", len(rows), err)
	}
	checker, err := newRule(Settings{Kind: Numeric, Marked: true})
	if err != nil {
		t.Fatal(err)
	}
	recorded := make([]int, len(rows))
	for i, row := range rows {
		if recorded[i], err = afterHashes(row.Meta["answer"]); err != nil {
			t.Fatal(err)
		}
	}
	for i, row := range rows {
		if testing.Short() && i%10 != 0 {
			continue
		}
		check := func(response string, answer int) {
			o, err := checker.Verdict(t.Context(), judge.Question{ID: row.ID, Meta: row.Meta}, judge.Answer{Text: response})
			if err != nil || (o.Correct == judge.Correct) != (recorded[i] == answer) {
				t.Errorf("row %d: recorded %d, and %d judged %+v, %v", i, recorded[i], answer, o, err)
			}
		}
		for _, other := range []int{i, (i + 1) % len(rows), (i + 17) % len(rows), i * 31 % len(rows)} {
			check(rows[other].Meta["answer"], recorded[other])
		}
		for _, off := range []int{0, 1, -recorded[i]} {
			check(fmt.Sprintf("The answer is %d.", recorded[i]+off), recorded[i]+off)
		}
	}
}

// afterHashes reads the recorded answer of a row in another way than the checker does.
func afterHashes(solution string) (int, error) {
	_, recorded, _ := strings.Cut(solution, "####")
	return strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(recorded), ",", ""))
}
