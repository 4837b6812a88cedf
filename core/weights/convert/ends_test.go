package convert

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// ending returns a model whose chat template is chatml, for which its other files say eos.
func ending(t *testing.T, eos string, stops ...string) *Model {
	t.Helper()
	tok, err := tokenizer.Train(slices.Values([]string{"the herd moves on"}), tokenizer.TrainSettings{VocabSize: 270, Special: []string{
		tokenizer.NameBeginOfText, tokenizer.NameEndOfText, "<|im_start|>", "<|im_end|>", "<|eom_id|>", tokenizer.NameEndOfTurn,
	}})
	if err != nil {
		t.Fatal(err)
	}
	pad, _ := tok.Special("<|eom_id|>")
	start, _ := tok.Special("<|im_start|>")
	tok = tok.WithNamed("pad_token", pad).WithNamed("unk_token", start)
	chatml, err := template.Named("chatml")
	if err != nil {
		t.Fatal(err)
	}
	m := drawn(t, small())
	m.Tokenizer = tok.WithTemplate(tokenizer.Template{Source: chatml.Source, Stop: eos}).WithTemplates([]tokenizer.NamedTemplate{{Name: "rag", Template: "{{ 1 }}"}})
	m.Config.EOS = nil
	for _, name := range stops {
		m.Config.EOS = append(m.Config.EOS, int(id(t, m, name)))
	}
	return m
}

func id(t *testing.T, m *Model, name string) token.ID {
	t.Helper()
	id, ok := m.Tokenizer.Special(name)
	if !ok {
		t.Fatalf("there is no token %s", name)
	}
	return id
}

// TestEnds: in every form that convert writes, the token with which the chat template ends an answer
// is one at which other programs stop, and what the model had stays.
func TestEnds(t *testing.T) {
	const end, old, eom, eot = "<|im_end|>", tokenizer.NameEndOfText, "<|eom_id|>", tokenizer.NameEndOfTurn
	for _, c := range []struct {
		eos      string
		stops    []string
		eotToken string // of GGUF; "" for none
		eomToken string
	}{
		{eos: old, stops: []string{old}, eotToken: end},
		{eos: old, stops: []string{old, eom, end}, eotToken: end, eomToken: eom},
		{eos: end, stops: []string{old, end}},
		{eos: end, stops: []string{old, eom, end}, eomToken: eom},
		{eos: eot, stops: []string{eot}, eotToken: end},
	} {
		m := ending(t, c.eos, c.stops...)
		path := filepath.Join(t.TempDir(), "m.gguf")
		if err := Write(path, m, "gguf-f32", false, silent); err != nil {
			t.Fatal(err)
		}
		f, err := gguf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]string{keyEOS: c.eos, keyEOT: c.eotToken, keyEOM: c.eomToken} {
			got, err := f.Metadata.Int(key)
			if want == "" && err == nil || want != "" && (err != nil || got != int(id(t, m, want))) {
				t.Errorf("%+v: %s is %d, error %v, want %s", c, key, got, err, want)
			}
		}
		f.Close()
		again, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for form, m := range map[string]*Model{"directory": written(t, m, HF), "file": again, "directory of a file": written(t, again, HF)} {
			want := append([]string{end}, c.eomToken)
			for _, name := range slices.DeleteFunc(want, func(name string) bool { return name == "" }) {
				if !slices.Contains(m.Config.EOS, int(id(t, m, name))) {
					t.Errorf("%+v, %s: eos_token_id is %v and lacks %s", c, form, m.Config.EOS, name)
				}
			}
			if form != "file" && !slices.Contains(m.Config.GenerationEOS(), int(id(t, m, end))) {
				t.Errorf("%+v, %s: generation_config.json has %v", c, form, m.Config.GenerationEOS())
			}
			if pad, ok := m.Tokenizer.Named("pad_token"); !ok || pad != id(t, m, eom) {
				t.Errorf("%+v, %s: pad_token is %d", c, form, pad)
			}
			if unknown, ok := m.Tokenizer.Named("unk_token"); !ok || unknown != id(t, m, "<|im_start|>") {
				t.Errorf("%+v, %s: unk_token is %d", c, form, unknown)
			}
			if more := m.Tokenizer.Templates(); len(more) != 1 || more[0].Name != "rag" || more[0].Template != "{{ 1 }}" {
				t.Errorf("%+v, %s: other templates %v", c, form, more)
			}
			if m.Tokenizer.StopName() != c.eos {
				t.Errorf("%+v, %s: eos_token is %s", c, form, m.Tokenizer.StopName())
			}
		}
		m.Close()
	}
}

// TestEndsOfReward: a reward model writes no answers.
func TestEndsOfReward(t *testing.T) {
	m := ending(t, tokenizer.NameEndOfText, tokenizer.NameEndOfText)
	p := model.NewParams(m.Config.Reward(), false)
	m.Config, m.Weights = p.Config, held{p}
	if again := written(t, m, HF); again.Config.Generation != nil || len(again.Config.EOS) != 1 {
		t.Errorf("eos_token_id %v, generation_config.json %s", again.Config.EOS, again.Config.Generation)
	}
}
