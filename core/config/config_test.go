package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/sft"
)

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sft.yaml")
	for _, c := range []struct {
		name, yaml string
		sets       []string
		want       string // in the error; "" for none
	}{
		{"empty", "", nil, ""},
		{"good", "model: base\nsteps: 7\nlearning_rate: 3.0e-4\nprecision: bf16\nrecompute: layer\n", []string{"chats=[a.arrow, b.arrow]", "seed=9"}, ""},
		{"list without brackets", "", []string{"chats=a.arrow", "lora.target_modules=q_proj,v_proj"}, ""},
		{"unknown key", "model: base\nlearning_rat: 3\n", nil, `sft.yaml:2:1: unknown key "learning_rat", did you mean "learning_rate"?`},
		{"key of a group", "dropout: 0.1\n", nil, `sft.yaml:1:1: unknown key "dropout", did you mean "lora.dropout"?`},
		{"key of the settings in a group", "lora:\n  r: 1\n  model: x\n", nil, `sft.yaml:3:3: unknown key "model" in lora: it belongs at the top level`},
		{"group as one word", "lora_r: 1\n", nil, `unknown key "lora_r", did you mean "lora"?`},
		{"set within a value", "", []string{"steps.model=3"}, "--set steps.model=3: "},
		{"far from any key", "qqqqqqqqqq: 1\n", nil, `sft.yaml:1:1: unknown key "qqqqqqqqqq"`},
		{"wrong type", "steps: many\n", nil, "sft.yaml:1:8: got many, expected a whole number"},
		{"set to wrong type", "", []string{"learning_rate=fast"}, "--set learning_rate=fast: got fast, expected a number"},
		{"unknown name", "steps: 1\nrecompute: all\n", nil, `sft.yaml:2:12: recompute is "all", expected none or layer`},
		{"second of two names", "recompute: layer\nprecision: fp8 # small\n", nil, `sft.yaml:2:12: precision is "fp8", expected fp32, bf16, int8 or auto`},
		{"list for a name", "precision: [bf16]\n", nil, `sft.yaml:1:12: precision is "[", expected fp32, bf16, int8 or auto`},
		{"set to unknown name", "", []string{"precision=fp8"}, `--set precision=fp8: precision is "fp8", expected fp32, bf16, int8 or auto`},
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
			err := config.Load(path, config.Assignments("--set", c.sets...), &s)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if c.name == "list without brackets" && (!slices.Equal(s.Chats, []string{"a.arrow"}) || !slices.Equal(s.LoRA.TargetModules, []string{"q_proj", "v_proj"})) {
				t.Errorf("chats %q, target_modules %q", s.Chats, s.LoRA.TargetModules)
			}
			if c.name == "good" && (s.Model != "base" || s.Steps != 7 || len(s.Chats) != 2 || s.Seed != 9 || s.Beta2 != sft.Defaults().Beta2 ||
				s.Precision != kernel.BF16 || s.Recompute != model.RecomputeLayer) {
				t.Errorf("settings %+v", s)
			}
		})
	}
}
