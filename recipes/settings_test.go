package recipes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/dpo"
	"github.com/herd-lm/herd/sft"
)

func TestLoadSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sft.yaml")
	for _, c := range []struct {
		name, yaml string
		sets       []string
		want       string // in the error; "" for none
	}{
		{"empty", "", nil, ""},
		{"good", "model: base\nsteps: 7\nlearning_rate: 3.0e-4\n", []string{"chats=[a.arrow, b.arrow]", "seed=9"}, ""},
		{"unknown key", "model: base\nlearning_rat: 3\n", nil, `sft.yaml:2:1: unknown key "learning_rat", did you mean "learning_rate"?`},
		{"far from any key", "qqqqqqqqqq: 1\n", nil, `sft.yaml:1:1: unknown key "qqqqqqqqqq"`},
		{"wrong type", "steps: many\n", nil, "sft.yaml:1:8: got many, expected a whole number"},
		{"set to wrong type", "", []string{"learning_rate=fast"}, "--set learning_rate=fast: got fast, expected a number"},
		{"key twice", "steps: 1\nsteps: 2\n", nil, "sft.yaml:2:1"},
		{"no YAML", "steps: [1\n", nil, "sft.yaml:1:"},
		{"set unknown", "", []string{"step=3"}, `--set step=3: unknown key "step", did you mean "steps"?`},
		{"set without value", "", []string{"steps"}, "expected key=value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.yaml), 0o666); err != nil {
				t.Fatal(err)
			}
			s := sft.Defaults()
			err := LoadSettings(path, c.sets, &s)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if c.name == "good" && (s.Model != "base" || s.Steps != 7 || len(s.Chats) != 2 || s.Seed != 9 || s.Beta2 != sft.Defaults().Beta2) {
				t.Errorf("settings %+v", s)
			}
		})
	}
}

func TestLoadRecipe(t *testing.T) {
	const stage = "stages:\n  - name: a\n    sft: {model: base, chats: [c.arrow]}\n"
	path := filepath.Join(t.TempDir(), "r.yaml")
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown key of a stage", "stages:\n  - name: a\n    dpo: {model: base, betta: 1}\n", `r.yaml:3:24: unknown key "betta", did you mean "beta"?`},
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
	r, err := Load("quickstart", []string{"dpo.beta=0.7", "seed=5", "base.architecture.hidden_size=96"})
	if err != nil {
		t.Fatal(err)
	}
	var d *dpo.Settings
	for _, s := range r.Stages {
		if s.Name == "dpo" {
			d = s.DPO
		}
	}
	if d == nil || d.Beta != 0.7 || r.Seed != 5 || r.Stages[0].Pretrain.Architecture.HiddenSize != 96 {
		t.Errorf("--set did not reach the recipe: %+v", d)
	}
}
