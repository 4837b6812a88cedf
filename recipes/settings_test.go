package recipes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/dpo"
	"github.com/herd-lm/herd/pretrain"
)

func TestLoadRecipe(t *testing.T) {
	const stage = "stages:\n  - name: a\n    sft: {model: base, chats: [c.arrow]}\n"
	path := filepath.Join(t.TempDir(), "r.yaml")
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown key of a stage", "stages:\n  - name: a\n    dpo: {model: base, betta: 1}\n", `r.yaml:3:24: unknown key "betta", did you mean "beta"?`},
		{"unknown name", "stages:\n  - name: a\n    dpo: {model: base, precision: fp8}\n", `r.yaml:3:35: precision is "fp8", expected fp32, bf16, int8 or auto`},
		{"key one level too high", "stages:\n  - name: a\n    model: base\n    sft: {chats: [c]}\n", `r.yaml:3:5: unknown key "model", did you mean "pretrain.model", "sft.model", "reward.model" or another of that name?`},
		{"key of a stage at the top", stage + "beta: 1\n", `r.yaml:4:1: unknown key "beta", did you mean "stages.dpo.beta"?`},
		{"key one level too deep", "stages:\n  - name: a\n    sft: {model: base, stages: 1}\n", `r.yaml:3:24: unknown key "stages" in stages.sft: it belongs at the top level`},
		{"key of another group", "stages:\n  - name: a\n    sft: {model: base, lora: {learning_rat: 1}}\n", `unknown key "learning_rat"`},
		{"key of a group", "stages:\n  - name: a\n    sft: {model: base, dropout: 0.1}\n", `unknown key "dropout", did you mean "lora.dropout"?`},
		{"slip within a group", "stages:\n  - name: a\n    sft: {model: base, lora: {alhpa: 1}}\n", `unknown key "alhpa", did you mean "alpha"?`},
		{"unknown stage", "stages:\n  - name: a\n    sfft: {model: base}\n", `unknown key "sfft", did you mean "sft"?`},
		{"two kinds", "stages:\n  - name: a\n    sft: {}\n    dpo: {}\n", "one of pretrain"},
		{"no name", "stages:\n  - sft: {}\n", "expected a name"},
		{"name twice", stage + "  - name: a\n    dpo: {}\n", `two stages are called "a"`},
		{"name with slash", "stages:\n  - name: a/b\n    dpo: {}\n", "no dots, slashes"},
		{"no stages", "seed: 1\n", "no stages"},
		{"bad share", stage + "data:\n  import:\n    - {name: x, files: [f], parts: [{name: p, share: 0.4}]}\n", "add up to 0.4"},
		{"import with the name of the world's table", stage + "data:\n  world: {}\n  import: [{name: chats, files: [f]}]\n", "would write data/chats.arrow"},
		{"bad world", stage + "data:\n  world: {documents: -1}\n", "documents"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.yaml), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(path, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Load("no-such-recipe", nil); err == nil || !strings.Contains(err.Error(), "quickstart") {
		t.Errorf("error %v, want one that names the embedded recipes", err)
	}
}

// TestEmbedded: every embedded recipe is valid, and --set reaches its stages.
func TestEmbedded(t *testing.T) {
	for _, name := range Names() {
		r, err := Load(name, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := engine{Recipe: r, dir: "run"}
		if err := e.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := Load("quickstart", config.Assignments("--set", "dpo.beta=0.7", "seed=5", "base.architecture.hidden_size=96"))
	if err != nil {
		t.Fatal(err)
	}
	var d *dpo.Settings
	for _, s := range r.Stages {
		if s.Name == "dpo" {
			d = s.Settings.(*dpo.Settings)
		}
	}
	if d == nil || d.Beta != 0.7 || r.Seed != 5 || r.Stages[0].Settings.(*pretrain.Settings).Architecture.HiddenSize != 96 {
		t.Errorf("--set did not reach the recipe: %+v", d)
	}
}

// TestWritten: the recipe.yaml of a run says the same as the recipe that made it.
func TestWritten(t *testing.T) {
	r, err := Load("quickstart", config.Assignments("--set", "dpo.precision=bf16", "base.recompute=layer"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r.yaml()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "recipe.yaml")
	if err := os.WriteFile(path, doc, 0o666); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Name = r.Name // of the file
	if doc2, err := again.yaml(); err != nil || !bytes.Equal(doc, doc2) {
		t.Errorf("read and written again (%v):\n%s\nnot\n%s", err, doc2, doc)
	}
	if got := again.Stages[len(again.Stages)-1].Settings.(*dpo.Settings).Precision; got != kernel.BF16 {
		t.Errorf("precision %v, want bf16", got)
	}
}

// TestSetRefused: --set of a key that the recipe does not have says what it can mean.
func TestSetRefused(t *testing.T) {
	for set, want := range map[string]string{
		"beta=0.2":       `--set beta=0.2: unknown key "beta": it is a setting of stages or imports, so set dpo.beta`,
		"model=x":        `unknown key "model": it is a setting of stages or imports, so set base.model, sft.model, reward.model, rejection.model, sft-best.model, dpo.model`,
		"lora.r=2":       `so set base.lora.r, sft.lora.r, reward.lora.r, sft-best.lora.r, dpo.lora.r`,
		"dop.beta=1":     `unknown key "dop", did you mean "dpo"?`,
		"sead=1":         `unknown key "sead", did you mean "seed"?`,
		"zzzzzzzzz.x=1":  `unknown key "zzzzzzzzz": the recipe has base, sft, reward, rejection, sft-best, dpo`,
		"dpo.model.x=1":  "--set dpo.model.x=1: ",
		"dpo.dropout=1":  `unknown key "dropout", did you mean "lora.dropout"?`,
		"data.chats=1":   `unknown key "chats", did you mean "world.chats"?`,
		"nonsense":       "expected key=value",
		"evaluate.beta=": `unknown key "beta"`,
	} {
		if _, err := Load("quickstart", config.Assignments("--set", set)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", set, err, want)
		}
	}
}
