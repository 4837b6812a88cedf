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
		{"unknown stage", "stages:\n  - name: a\n    sfft: {model: base}\n", `unknown key "sfft", did you mean "sft"?`},
		{"two kinds", "stages:\n  - name: a\n    sft: {}\n    dpo: {}\n", "one of pretrain"},
		{"no name", "stages:\n  - sft: {}\n", "expected a name"},
		{"name twice", stage + "  - name: a\n    dpo: {}\n", `two stages are called "a"`},
		{"name with slash", "stages:\n  - name: a/b\n    dpo: {}\n", "no dots, slashes"},
		{"no stages", "seed: 1\n", "no stages"},
		{"bad share", stage + "data:\n  import:\n    - {name: x, files: [f], parts: [{name: p, share: 0.4}]}\n", "add up to 0.4"},
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
