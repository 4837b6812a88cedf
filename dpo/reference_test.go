package dpo

import (
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// fixture writes a random model and pairs, and returns the settings of a run of
// one step on them.
func fixture(t *testing.T) Settings {
	t.Helper()
	dir := t.TempDir()
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 8, Intermediate: 16, Layers: 2, Heads: 2, Positions: 256, InitRange: 0.3, Tied: true}.Config()
	s := Defaults()
	s.Model, s.Preferences, s.Out = filepath.Join(dir, "base"), []string{filepath.Join(dir, "pairs.arrow")}, filepath.Join(dir, "out")
	s.Steps = 1
	say := func(text string) []chat.Message { return []chat.Message{{Role: "assistant", Content: text}} }
	rows := []table.Preference{
		{Origin: table.Origin{ID: "1"}, Prompt: []chat.Message{{Role: "user", Content: "What is it?"}}, Chosen: say("It is a goat."), Rejected: say("it")},
		{Origin: table.Origin{ID: "2"}, Prompt: []chat.Message{{Role: "user", Content: "Is it a goat?"}}, Chosen: say("It is."), Rejected: say("What is a goat?")},
	}
	testmodel.Write(t, s.Model, testmodel.Random(t, c, 1), tok)
	if err := table.WriteAll(s.Preferences[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReferencePrecision: the reference is computed in the precision of the policy.
// In the first step, when both have the same weights, no response has a reward.
func TestReferencePrecision(t *testing.T) {
	digests := make(map[string]kernel.Precision)
	s := fixture(t)
	for _, s.Precision = range []kernel.Precision{kernel.FP32, kernel.BF16} {
		rewards := []float64{1, 1}
		o := train.Options{Mode: run.Mode{Overwrite: true}, Report: func(p train.Progress) {
			rewards = []float64{p.Metrics["rewards/chosen"], p.Metrics["rewards/rejected"]}
		}}
		if err := Run(t.Context(), s, o); err != nil {
			t.Fatal(err)
		}
		if rewards[0] != 0 || rewards[1] != 0 {
			t.Errorf("%v: rewards %v before anything is learnt, want 0", s.Precision, rewards)
		}
		rows, _, err := table.ReadAll[table.Preference](filepath.Join(s.Out, "preferences.arrow"))
		if err != nil {
			t.Fatal(err)
		}
		digests[rows[0].RefDigest] = s.Precision
	}
	if len(digests) != 2 {
		t.Errorf("digests of the references %v, want one for each precision", digests)
	}
}

// TestReferenceKeepsExtraColumns: the table with the reference's log-probabilities has
// all columns of the preferences.
func TestReferenceKeepsExtraColumns(t *testing.T) {
	s := fixture(t)
	rows, _, err := table.ReadAll[table.Preference](s.Preferences[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		rows[i].Extra.SetText("difficulty", rows[i].ID)
	}
	if err := table.WriteAll(s.Preferences[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatal(err)
	}
	got, _, err := table.ReadAll[table.Preference](filepath.Join(s.Out, "preferences.arrow"))
	if err != nil || len(got) != len(rows) {
		t.Fatal(len(got), err)
	}
	for _, row := range got {
		if d, ok := row.Extra.Text("difficulty"); !ok || d != row.ID || row.RefDigest == "" {
			t.Errorf("row %s has difficulty %q", row.ID, d)
		}
	}
}
