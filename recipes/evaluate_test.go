package recipes

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/format"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/internal/realdata"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

// TestEvaluateSettings: an evaluation without a rule is the same as before there were rules,
// and one with a rule that cannot work is refused.
func TestEvaluateSettings(t *testing.T) {
	if b, err := json.Marshal(Evaluate{}); err != nil || strings.Contains(string(b), "Check") {
		t.Errorf("%s, error %v: what is not set is not part of a digest", b, err)
	}
	numeric := rule.Settings{Kind: rule.Numeric}
	for _, c := range []struct {
		evaluate Evaluate
		want     string
	}{
		{Evaluate{}, ""},
		{Evaluate{Check: numeric}, "check is set, but no prompts"},
		{Evaluate{Prompts: "p", Check: rule.Settings{Kind: "number"}}, `kind is "number"`},
		{Evaluate{Prompts: "p", Check: rule.Settings{Kind: rule.Exact, Tolerance: 1}}, "tolerance is set"},
	} {
		if c.evaluate.MaxTokens = 8; c.evaluate.Prompts != "" {
			c.evaluate.TopP = 1
		}
		err := c.evaluate.validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: error %v, want %q", c.evaluate, err, c.want)
		}
	}
}

// samplesOf writes a table of samples: to each prompt the right answer, which scores best, and
// a wrong one.
func samplesOf(t *testing.T, prompts []table.Chat, answer func(table.Chat) string) string {
	t.Helper()
	rows := make([]table.Sample, len(prompts))
	best, worst := 2.0, 1.0
	for i, p := range prompts {
		q := judge.Prompt(p)
		rows[i] = table.Sample{
			Origin: table.Origin{Parents: []string{p.ID}, Meta: q.Meta}, Prompt: q.Prompt, Reference: q.Reference,
			Candidates: []table.Candidate{
				{Text: answer(p) + "1", Finish: "stop", Score: &worst},
				{Text: answer(p), Finish: "stop", Score: &best, K: 1},
			},
		}
	}
	path := filepath.Join(t.TempDir(), "samples.arrow")
	if err := table.WriteAll(path, table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkMeasured measures samples of which half are correct, and those picked all are.
func checkMeasured(t *testing.T, prompts []table.Chat, answer func(table.Chat) string) {
	t.Helper()
	path := samplesOf(t, prompts, answer)
	e := engine{Recipe: &Recipe{Evaluate: Evaluate{Check: rule.Settings{Kind: rule.Numeric}}}}
	m, err := e.measureSamples(t.Context(), path)
	if err != nil || m["sample_accuracy"].Value != 0.5 || m["sample_accuracy"].N != 2*len(prompts) || m["picked_accuracy"].Value != 1 {
		t.Errorf("measures %v, error %v", m, err)
	}
	e.Evaluate.Check = rule.Settings{} // the rows themselves do not say what is correct
	if m, err := e.measureSamples(t.Context(), path); err != nil || len(m) != 2 {
		t.Errorf("without a rule: measures %v, error %v", m, err)
	}
}

// TestMeasuresByRule: the reference is the closing turn of the prompt, or in its meta.
func TestMeasuresByRule(t *testing.T) {
	var prompts []table.Chat
	for i := range 20 {
		row := table.Chat{Origin: table.Origin{ID: fmt.Sprint(i)}, Messages: []chat.Message{{Role: chat.User, Content: fmt.Sprintf("%d+1?", i)}}}
		if answer := fmt.Sprintf("#### %d", i+1); i%2 == 0 {
			row.Meta = map[string]string{"answer": answer}
		} else {
			row.Messages = append(row.Messages, chat.Message{Role: chat.Assistant, Content: answer})
		}
		prompts = append(prompts, row)
	}
	checkMeasured(t, prompts, func(c table.Chat) string {
		q := judge.Prompt(c)
		return q.Meta["answer"] + q.Reference
	})
}

// TestAddRows: the counts of rows in a stage's manifest become measures.
func TestAddRows(t *testing.T) {
	dir := t.TempDir()
	m := run.Manifest{Stage: "sft", Extra: map[string]json.RawMessage{train.ExtraRows: json.RawMessage(`{"rows":9,"used":7,"too_long":2}`)}}
	if err := run.WriteManifest(dir, m); err != nil {
		t.Fatal(err)
	}
	got := eval.Measures{}
	if err := addRows(got, dir); err != nil || got["rows/too_long"].Value != 2 || got["rows/too_long"].N != 9 || len(got) != 2 {
		t.Errorf("%v, error %v", got, err)
	}
}

// TestMeasuresGSM8K measures the recorded solutions of GSM8K.
func TestMeasuresGSM8K(t *testing.T) {
	file := realdata.Path(t, "data", "reasoning", "gsm8k-train.jsonl.gz")
	path := filepath.Join(t.TempDir(), "gsm8k.arrow")
	if _, err := format.Import(path, []string{file}, format.ImportSettings{}); err != nil {
		t.Fatal(err)
	}
	prompts, _, err := table.ReadAll[table.Chat](path)
	if err != nil {
		t.Fatal(err)
	}
	checkMeasured(t, prompts[:500], func(c table.Chat) string { return c.Meta["answer"] })
}

// TestStageDecidesFirst: what the rule of a stage said of a candidate counts; the rule of the
// evaluation decides about the others only.
func TestStageDecidesFirst(t *testing.T) {
	check, err := rule.New(rule.Settings{Kind: rule.Regex, Pattern: "goat"})
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	got, err := correctness(t.Context(), check, table.Sample{Candidates: []table.Candidate{
		{Text: "a sheep", Correct: &yes}, {Text: "a goat", Correct: &no}, {Text: "a goat"}, {Text: "a sheep"},
	}})
	if want := []judge.Correctness{judge.Correct, judge.Wrong, judge.Correct, judge.Wrong}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v, error %v", got, want, err)
	}
}
