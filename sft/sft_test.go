package sft

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testmodel"
)

// fixture writes a random model and chats whose answers are long, middling and
// short, and returns the settings of a run on them.
func fixture(t *testing.T) Settings {
	t.Helper()
	dir := t.TempDir()
	tok := testmodel.Tokenizer(t, 265, "What is it? It is a goat.")
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 8, Intermediate: 16, Layers: 1, Heads: 2, Positions: 256, InitRange: 0.1, Tied: true}.Config()
	s := Defaults()
	s.Model, s.Chats, s.Out = filepath.Join(dir, "base"), []string{filepath.Join(dir, "chats.arrow")}, filepath.Join(dir, "out")
	testmodel.Write(t, s.Model, testmodel.Random(t, c, 1), tok)
	w, err := table.Create[table.Chat](s.Chats[0], table.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]string{"long": strings.Repeat("It is a goat. ", 12), "short": "A goat."} {
		row := table.Chat{Origin: table.Origin{ID: name}, Messages: []chat.Message{{Role: "user", Content: "What is it?"}, {Role: "assistant", Content: answer}}}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.MaxTokens, s.Epochs, s.MicroTokens, s.LearningRate = 64, 1, 256, 1e-2
	return s
}

// TestTooLong: what happens to a row beyond max_tokens is the user's choice, and an
// error by default.
func TestTooLong(t *testing.T) {
	s := fixture(t)
	tok, err := tokenizer.Load(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	format, err := template.New(tok)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tooLong string
		rows    int
		want    string
	}{{"error", 0, "row long has"}, {"skip", 1, ""}, {"truncate", 2, ""}} {
		s.TooLong = c.tooLong
		examples, _, err := example.Load(s.Chats, s.Limit, func(row table.Chat) ([]pack.Example, error) {
			return example.Chats(format, row)
		})
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want one that says %q", c.tooLong, err, c.want)
		}
		if c.want == "" && (err != nil || len(examples) != c.rows) {
			t.Errorf("%s: %d rows and error %v, want %d", c.tooLong, len(examples), err, c.rows)
		}
		for _, e := range examples {
			if len(e.Prompt.IDs) > s.MaxTokens || e.Norm != float64(e.Targets()) {
				t.Errorf("%s: row %s has %d tokens, %d targets and counts %g", c.tooLong, e.Row, len(e.Prompt.IDs), e.Targets(), e.Norm)
			}
		}
	}
}

func TestRun(t *testing.T) {
	s := fixture(t)
	s.TooLong = "truncate"
	before, err := model.Load(s.Model, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatal(err)
	}
	after, err := model.Load(s.Out, false)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(before.W, after.W) {
		t.Error("a run of one step changed nothing")
	}
	if _, err := tokenizer.Load(s.Out); err != nil {
		t.Error(err)
	}
	m, err := run.ReadManifest(s.Out)
	if err != nil || m.Stage != "sft" || m.Inputs["model[0]"] == "" || m.Inputs["chats[0]"] == "" {
		t.Errorf("manifest %+v, error %v", m, err)
	}
	again, err := s.Manifest()
	if err != nil || again.Digest != m.Digest {
		t.Errorf("the digest of the same run is %s, then %s (%v)", m.Digest, again.Digest, err)
	}
	s.LearningRate *= 2
	if other, _ := s.Manifest(); other.Digest == m.Digest {
		t.Error("another learning rate has the same digest")
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Settings)
		want  string
	}{
		"no model":         {func(s *Settings) { s.Model = "" }, "model is not set"},
		"no chats":         {func(s *Settings) { s.Chats = nil }, "chats is not set"},
		"no out":           {func(s *Settings) { s.Out = "" }, "out is not set"},
		"missing table":    {func(s *Settings) { s.Chats[0] += "x" }, "chats.arrowx"},
		"unknown policy":   {func(s *Settings) { s.TooLong = "drop" }, "too_long"},
		"table of another": {func(s *Settings) { s.Chats[0] = filepath.Join(s.Model, "config.json") }, "config.json"},
		"foreign tokenizer": {func(s *Settings) {
			testmodel.Tokenizer(t, 270, "What is it? It is a goat. No, a sheep.").Save(s.Model)
		}, "they do not match"},
	} {
		s := fixture(t)
		s.TooLong = "skip"
		c.spoil(&s)
		if err := Run(t.Context(), s, train.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
		if _, err := os.Stat(filepath.Join(s.Out, "model.safetensors")); err == nil {
			t.Errorf("%s: a model was written all the same", name)
		}
	}
}

// TestTemplate: a model that knows no chats learns those of a template that is
// named, and keeps it. The digest of other runs is what it was without the setting.
func TestTemplate(t *testing.T) {
	s := fixture(t)
	const end = "<|im_end|>"
	base, err := tokenizer.Train(slices.Values([]string{"What is it? It is a goat."}), tokenizer.TrainSettings{
		VocabSize: 265, Special: []string{tokenizer.NameBeginOfText, tokenizer.NameEndOfText, "<|im_start|>", end, "<|pad|>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := base.WithTemplate(tokenizer.Template{}).Save(s.Model); err != nil {
		t.Fatal(err)
	}
	s.MaxTokens = 400
	if err := Run(t.Context(), s, train.Options{}); err == nil || !strings.Contains(err.Error(), "has no chat template: set template to one of llama3, ") {
		t.Errorf("without a template: error %v", err)
	}
	s.Template = "chatml"
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(s.Out)
	if err != nil {
		t.Fatal(err)
	}
	config, err := model.LoadConfig(s.Out)
	if err != nil {
		t.Fatal(err)
	}
	stop, _ := tok.Special(end)
	if template.NameOf(tok.Template()) != "chatml" || tok.StopName() != end || !slices.Contains(config.EOS, int(stop)) {
		t.Errorf("the model has template %s and stops at %s, %v", template.NameOf(tok.Template()), tok.StopName(), config.EOS)
	}
	s.Template = "no"
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), `no chat template "no"`) {
		t.Errorf("error %v", err)
	}
}

// TestRewardModel: a reward model cannot learn to answer.
func TestRewardModel(t *testing.T) {
	s := fixture(t)
	tok, err := tokenizer.Load(s.Model)
	if err != nil {
		t.Fatal(err)
	}
	c := testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 8, Intermediate: 16, Layers: 1, Heads: 2, Positions: 256, InitRange: 0.1}.Config()
	testmodel.Write(t, s.Model, testmodel.Random(t, c.Reward(), 1), tok)
	s.TooLong = "skip"
	if err := Run(t.Context(), s, train.Options{}); err == nil || !strings.Contains(err.Error(), "base is a reward model: it scores answers and cannot write them") {
		t.Errorf("error %v", err)
	}
}
