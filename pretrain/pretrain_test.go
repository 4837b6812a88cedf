package pretrain

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/table"
)

// fixture writes a few documents and returns the settings of a run on them.
func fixture(t *testing.T) Settings {
	t.Helper()
	dir := t.TempDir()
	s := Defaults()
	s.Documents, s.Out = []string{filepath.Join(dir, "documents.arrow")}, filepath.Join(dir, "base")
	w, err := table.Create[table.Document](s.Documents[0], table.Header{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"The goat eats leaves.", "The sheep eats grass, and the goat eats the grass too.", strings.Repeat("The hen eats corn. ", 9)} {
		if err := w.Write(table.Document{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s.VocabSize, s.SequenceLength, s.Steps, s.BatchTokens, s.MicroTokens, s.LearningRate, s.WarmupSteps = 275, 24, 20, 64, 64, 1e-2, 2
	s.Architecture = Architecture{HiddenSize: 16, IntermediateSize: 32, Layers: 1, Heads: 2, KVHeads: 1, MaxPositions: 64, RopeTheta: 10000, TiedHead: true}
	return s
}

// TestRun trains a new model and then goes on from it, with its tokenizer and
// architecture.
func TestRun(t *testing.T) {
	s := fixture(t)
	first, last := 0.0, 0.0
	err := Run(t.Context(), s, train.Options{Report: func(p train.Progress) {
		if last = p.Loss; p.Step == 1 {
			first = p.Loss
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if first < 5 || last > first-1 {
		t.Errorf("loss from %v to %v in 20 steps: nothing was learnt", first, last)
	}
	p, err := model.Load(s.Out, false)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(s.Out)
	if err != nil || tok.VocabSize() != 275 || p.Config.VocabSize != 275 || *p.Config.BOS != int(tok.BOS()) {
		t.Errorf("tokenizer of %d, config %+v, error %v", tok.VocabSize(), p.Config, err)
	}
	on := s
	on.Model, on.Out, on.Steps = s.Out, s.Out+"-on", 1
	on.Architecture, on.VocabSize = Architecture{}, 0
	var resumedAt float64
	if err := Run(t.Context(), on, train.Options{Report: func(p train.Progress) { resumedAt = p.Loss }}); err != nil {
		t.Fatal(err)
	}
	if resumedAt > first-1 {
		t.Errorf("going on from a trained model starts at loss %v, a new one at %v", resumedAt, first)
	}
	q, err := model.Load(on.Out, false)
	if err != nil || q.Config.HiddenSize != 16 || slices.Equal(p.W, q.W) {
		t.Errorf("going on: config %+v, changed %v, error %v", q.Config, !slices.Equal(p.W, q.W), err)
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Settings)
		want  string
	}{
		"no documents":          {func(s *Settings) { s.Documents = nil }, "documents is not set"},
		"no out":                {func(s *Settings) { s.Out = "" }, "out is not set"},
		"tokenizer of a model":  {func(s *Settings) { s.Model, s.Tokenizer = "a", "b" }, "both set"},
		"heads that do not fit": {func(s *Settings) { s.Architecture.KVHeads = 3 }, "num_key_value_heads"},
		"sequence beyond model": {func(s *Settings) { s.SequenceLength = 65 }, "max_position_embeddings"},
		"vocabulary too large":  {func(s *Settings) { s.VocabSize = 4000 }, "merges"},
		"missing table":         {func(s *Settings) { s.Documents[0] += "x" }, "documents.arrowx"},
		"no batch":              {func(s *Settings) { s.BatchTokens = 0 }, "batch_tokens"},
	} {
		s := fixture(t)
		c.spoil(&s)
		if err := Run(t.Context(), s, train.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

// TestFewSpecialTokens: a vocabulary needs a token that ends documents, and no other.
func TestFewSpecialTokens(t *testing.T) {
	s := fixture(t)
	tok, err := tokenizer.Train(slices.Values([]string{"The goat eats leaves."}), tokenizer.TrainSettings{VocabSize: 258, Special: []string{"</s>", "<|end|>"}})
	if err != nil {
		t.Fatal(err)
	}
	s.Tokenizer, s.VocabSize, s.Steps = t.TempDir(), 0, 1
	if err := tok.Save(s.Tokenizer); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(s.Tokenizer, "tokenizer_config.json")
	const chats = `"chat_template": "{% for m in messages %}{{ m.role }} {{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}assistant {% endif %}"`
	try := func(text string) error {
		if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return Run(t.Context(), s, train.Options{})
	}
	if err := try(`{}`); err == nil || !strings.Contains(err.Error(), "pretrain: the tokenizer has no token that ends a document") {
		t.Errorf("no end of text: error %v", err)
	}
	if err := try(`{"eos_token": "</s>", ` + chats + `}`); err != nil {
		t.Fatal(err)
	}
	c, err := model.LoadConfig(s.Out)
	end, _ := tok.Special("</s>")
	turn, _ := tok.Special("<|end|>")
	if want := (model.IntSet{int(end), int(turn)}); err != nil || c.BOS != nil || !slices.Equal(c.EOS, want) {
		t.Errorf("bos_token_id %v, eos_token_id %v, want none and %v; error %v", c.BOS, c.EOS, want, err)
	}
}
