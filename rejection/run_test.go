package rejection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// fixture writes a random policy, a random reward model and n prompts, and
// returns the settings of a run on them.
func fixture(t *testing.T, n int) Settings {
	t.Helper()
	dir := t.TempDir()
	tok := testmodel.Tokenizer(t, 270, "What is it? It is a goat. No, it is a sheep.")
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 8, Intermediate: 16, Layers: 1, Heads: 2, Positions: 64, InitRange: 0.3, Tied: true}.Config()
	save := func(name string, c model.Config) string {
		path := filepath.Join(dir, name)
		testmodel.Write(t, path, testmodel.Random(t, c, 5, 1, -1, 2, -2, 3, 1, -1, 1), tok)
		return path
	}
	s := Defaults()
	s.Model, s.Reward = save("policy", c), save("reward", c.Reward())
	s.Prompts, s.Out = []string{filepath.Join(dir, "prompts.arrow")}, filepath.Join(dir, "out")
	s.Samples, s.MaxTokens, s.Seed = 3, 5, 11
	var rows []table.Chat
	for i := range n {
		rows = append(rows, table.Chat{Messages: []chat.Message{{Role: "user", Content: fmt.Sprintf("What is %d?", i)}}})
	}
	if err := table.WriteAll(s.Prompts[0], table.Header{}, rows); err != nil {
		t.Fatal(err)
	}
	return s
}

func written(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{SamplesFile, ChatsFile, PreferencesFile, ReportFile, ReportJSONFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func TestRun(t *testing.T) {
	s := fixture(t, 10)
	if err := Run(t.Context(), s, Options{}); err != nil {
		t.Fatal(err)
	}
	samples, header, err := table.ReadAll[table.Sample](filepath.Join(s.Out, SamplesFile))
	if err != nil || len(samples) != 10 || header.Stage != "rejection" || header.Digests.Model == "" {
		t.Fatalf("%d samples, header %+v, error %v", len(samples), header, err)
	}
	for _, row := range samples {
		if len(row.Candidates) != 3 || len(row.Parents) != 1 {
			t.Errorf("row %s: %d candidates, parents %v", row.ID, len(row.Candidates), row.Parents)
		}
		for _, c := range row.Candidates {
			if c.Score == nil || *c.LogProb >= 0 || c.Seed == 0 {
				t.Errorf("row %s: candidate %+v", row.ID, c)
			}
		}
	}
	chats, _, err := table.ReadAll[table.Chat](filepath.Join(s.Out, ChatsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chats {
		i := slices.IndexFunc(samples, func(row table.Sample) bool { return row.ID == c.Parents[0] })
		if i < 0 {
			t.Fatalf("chat %s has parents %v, which are no samples", c.ID, c.Parents)
		}
		best := samples[i].Candidates[Best(samples[i].Candidates)]
		if got := c.Messages[len(c.Messages)-1].Content; got != best.Text || best.Finish != "stop" {
			t.Errorf("chat %s ends in %q, the best candidate is %q", c.ID, got, best.Text)
		}
	}
	// The same again is refused, other slots give the same bytes, another seed others.
	if err := Run(t.Context(), s, Options{}); !errors.As(err, new(*run.Occupied)) || !strings.Contains(err.Error(), "holds a finished run: resume it, overwrite it") {
		t.Errorf("a finished run was overwritten: %v", err)
	}
	want := written(t, s.Out)
	s.Slots = 2
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Overwrite: true}}); err != nil || !bytes.Equal(want, written(t, s.Out)) {
		t.Errorf("with 2 slots: other tables, or error %v", err)
	}
	s.Seed++
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Overwrite: true}}); err != nil || bytes.Equal(want, written(t, s.Out)) {
		t.Errorf("with another seed: the same tables, or error %v", err)
	}
	want = written(t, s.Out)
	s.Precision = kernel.BF16
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Overwrite: true}}); err != nil || bytes.Equal(want, written(t, s.Out)) {
		t.Errorf("with another precision: the same tables, or error %v", err)
	}
}

// TestResume stops a run after its first part: the resumed run writes the same
// bytes as an unbroken one.
func TestResume(t *testing.T) {
	s := fixture(t, 40)
	s.Samples, s.MaxTokens, s.Slots = 2, 3, 4
	whole := s
	whole.Out += "-whole"
	if err := Run(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var stopped *run.Interrupted
	err := Run(ctx, s, Options{PartSamples: 10, Report: func(Progress) { stop() }})
	if !errors.As(err, &stopped) || stopped.Step < 5 || stopped.Step > 39 {
		t.Fatalf("stopped after the first part: %v", err)
	}
	if err := Run(t.Context(), s, Options{}); !errors.As(err, new(*run.Occupied)) || !strings.Contains(err.Error(), "stopped early: resume it") {
		t.Errorf("a stopped run was storedIdentity anew without being asked to: %v", err)
	}
	for want, change := range map[string]func(*Settings){
		"temperature was 1 and is 0.5":     func(s *Settings) { s.Temperature = 0.5 },
		"precision was fp32 and is bf16":   func(s *Settings) { s.Precision = kernel.BF16 },
		"seed was 11 and is 12":            func(s *Settings) { s.Seed++ },
		`stop was not set and is ["\n"]`:   func(s *Settings) { s.StopStrings = []string{"\n"} },
		"another model, temperature was 1": func(s *Settings) { s.Temperature, s.Model = 2, s.Reward },
	} {
		other := s
		change(&other)
		if err := Run(t.Context(), other, Options{Mode: run.Mode{Resume: true}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("resumed with other settings: error %v, want %q", err, want)
		}
	}
	drawn := 0
	err = Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Report: func(p Progress) { drawn = max(drawn, p.Samples) }})
	if err != nil || drawn != 80 {
		t.Fatalf("%d samples, error %v", drawn, err)
	}
	if !bytes.Equal(written(t, whole.Out), written(t, s.Out)) {
		t.Error("the resumed run wrote other tables")
	}
	left, err := filepath.Glob(filepath.Join(s.Out, "*"))
	if err != nil || len(left) != 6 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

// TestUnfinished: if a table cannot be written, the run is not finished, and
// what was sampled is kept for the next try.
func TestUnfinished(t *testing.T) {
	s := fixture(t, 10)
	whole := s
	whole.Out += "-whole"
	if err := Run(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	inTheWay := filepath.Join(s.Out, PreferencesFile)
	if err := os.MkdirAll(filepath.Join(inTheWay, "full"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s, Options{}); err == nil || !strings.Contains(err.Error(), PreferencesFile) {
		t.Fatalf("a table that cannot be written: error %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.Out, "herd.json")); err == nil {
		t.Error("a run that failed says that it is finished")
	}
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written(t, whole.Out), written(t, s.Out)) {
		t.Error("the resumed run wrote other tables")
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Settings)
		want  string
	}{
		"no model":               {func(s *Settings) { s.Model = "" }, "model is not set"},
		"missing model":          {func(s *Settings) { s.Model += "x" }, "no such file"},
		"policy for a judge":     {func(s *Settings) { s.Reward = s.Model }, "no reward model"},
		"judge for a policy":     {func(s *Settings) { s.Model = s.Reward }, "reward model"},
		"equal samples":          {func(s *Settings) { s.Temperature = 0 }, "temperature"},
		"foreign table":          {func(s *Settings) { s.Prompts[0] = s.Model + "/model.safetensors" }, "model.safetensors"},
		"prompts of no question": {func(s *Settings) { s.Limit = -1 }, "limit"},
	} {
		s := fixture(t, 3)
		c.spoil(&s)
		if err := Run(t.Context(), s, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}
