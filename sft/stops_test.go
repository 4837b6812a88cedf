package sft

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
)

// TestStopsEverywhere: whichever way a model learns where its answers end, config.json,
// generation_config.json and the tokens at which herd stops say it, in the adapter's directory
// too. What generation_config.json had stays.
func TestStopsEverywhere(t *testing.T) {
	const end, old = "<|im_end|>", `{"eos_token_id": [1, 3], "temperature": 0.25}`
	tok, err := tokenizer.Train(slices.Values([]string{"What is it? It is a goat."}), tokenizer.TrainSettings{
		VocabSize: 265, Special: []string{tokenizer.NameBeginOfText, tokenizer.NameEndOfText, "<|im_start|>", end, "<|pad|>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop, _ := tok.Special(end)
	chatml, err := template.Named("chatml")
	if err != nil {
		t.Fatal(err)
	}
	for _, named := range []bool{true, false} { // the template comes from the settings, or is the model's own
		for _, generation := range []string{"", old} {
			t.Run(fmt.Sprintf("named %t, generation_config %q", named, generation), func(t *testing.T) {
				s := fixture(t)
				s.MaxTokens, s.Steps, s.Epochs = 400, 1, 0
				own := tokenizer.Template{Source: chatml.Source, Stop: tokenizer.NameEndOfText} // as tokenizer_config.json may say
				if named {
					s.Template, own = "chatml", tokenizer.Template{}
				}
				if err := tok.WithTemplate(own).Save(s.Model); err != nil {
					t.Fatal(err)
				}
				if generation != "" {
					write(t, filepath.Join(s.Model, "generation_config.json"), generation)
				}
				full := s
				full.Out = filepath.Join(t.TempDir(), "full")
				tune(t, full)
				checkStops(t, full.Out, "", int(stop), generation)

				adapter := s
				adapter.Out = filepath.Join(t.TempDir(), "adapter")
				adapter.LoRA.R, adapter.LoRA.Alpha = 2, 4
				tune(t, adapter)
				checkStops(t, s.Model, adapter.Out, int(stop), generation)

				merged := s
				merged.Adapter, merged.Template, merged.LoRA = adapter.Out, "", model.LoRA{}
				merged.Out = filepath.Join(t.TempDir(), "merged")
				tune(t, merged)
				checkStops(t, merged.Out, "", int(stop), generation)
			})
		}
	}
}

func tune(t *testing.T, s Settings) {
	t.Helper()
	if err := Run(t.Context(), s, train.Options{}); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// checkStops checks where a model, or a model with an adapter, stops, and once it is saved.
func checkStops(t *testing.T, dir, adapter string, stop int, generation string) {
	t.Helper()
	at, err := model.Locate(dir, adapter)
	if err != nil {
		t.Fatal(err)
	}
	c, err := at.Config()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(c.EOS, stop) || !slices.Contains(c.GenerationEOS(), stop) {
		t.Errorf("%s %s stops at %v by config.json and %v by generation_config.json, want both to have %d", dir, adapter, c.EOS, c.GenerationEOS(), stop)
	}
	if generation != "" && (!slices.Contains(c.GenerationEOS(), 3) || !strings.Contains(string(c.Generation), "0.25")) {
		t.Errorf("%s %s: generation_config.json is %s, want what it was and more", dir, adapter, c.Generation)
	}
	params, err := at.Load(false)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir() // as herd model merge
	if err := params.Save(out); err != nil {
		t.Fatal(err)
	}
	saved, err := model.LoadConfig(out)
	if err != nil || !slices.Contains(saved.EOS, stop) || !slices.Contains(saved.GenerationEOS(), stop) {
		t.Errorf("%s %s, saved: %v and %v, error %v", dir, adapter, saved.EOS, saved.GenerationEOS(), err)
	}
}
