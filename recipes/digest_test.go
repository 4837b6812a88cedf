package recipes

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/dpo"
	"github.com/herd-lm/herd/judge/rule"
	"github.com/herd-lm/herd/pretrain"
	"github.com/herd-lm/herd/rejection"
	"github.com/herd-lm/herd/reward"
	"github.com/herd-lm/herd/sft"
)

// TestDigests pins the digest of each stage for fixed settings and inputs. If one changes,
// herd repeats the runs of everybody who has finished that stage.
func TestDigests(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"m/config.json": `{"model":1}`, "m/model.safetensors": "weights", "m/tokenizer.json": "{}",
		"r/config.json": `{"model":2}`, "a/adapter_config.json": `{"peft_type":"LORA","r":2,"lora_alpha":4,"target_modules":["q_proj"],"base_model_name_or_path":"m"}`,
		"t/tokenizer.json": `{"t":1}`, "x.arrow": "rows", "y.arrow": "more rows", "s.json": `{"type":"object"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name     string
		manifest func() (run.Manifest, error)
		want     string
	}{
		{"pretrain, new", func() (run.Manifest, error) {
			s := pretrain.Defaults()
			s.Documents, s.Out, s.Seed, s.Architecture.Layers = []string{"x.arrow", "y.arrow"}, "out", 3, 2
			return s.Manifest()
		}, "798de444696bba89607c00cd9c6105df6079fb68c238f588b06d692d03bfbda1"},
		{"pretrain, tokenizer", func() (run.Manifest, error) {
			s := pretrain.Defaults()
			s.Documents, s.Out, s.Tokenizer = []string{"x.arrow"}, "out", "t"
			return s.Manifest()
		}, "e491f15bec6eea9989a825a410f6af8a0f3cd20a76c86970a01719b5794fab31"},
		{"pretrain, model", func() (run.Manifest, error) {
			s := pretrain.Defaults()
			s.Documents, s.Out, s.Model, s.SaveDType = []string{"x.arrow"}, "out", "m", "bfloat16"
			return s.Manifest()
		}, "99bf8bb6dffa9d15841fcc40eb8f6b1b144cd3819a3bf2e0da1e511b0a5cf4c0"},
		{"sft", func() (run.Manifest, error) {
			s := sft.Defaults()
			s.Chats, s.Out, s.Model, s.LearningRate = []string{"x.arrow", "y.arrow"}, "out", "m", 1e-4
			return s.Manifest()
		}, "35c4cd63f97952ef93d2145c8b61bd6311da6404d5284c40b96fbdf9bff57885"},
		{"sft, adapter and template", func() (run.Manifest, error) {
			s := sft.Defaults()
			s.Chats, s.Out, s.Model, s.Adapter, s.Template, s.LoRA.R = []string{"x.arrow"}, "out", "m", "a", "llama3", 4
			return s.Manifest()
		}, "a05ae311b8e65ab9641179bd70d3b2fb9e8c3d2a8b0eedf583f6adb5373309df"},
		{"reward", func() (run.Manifest, error) {
			s := reward.Defaults()
			s.Preferences, s.Out, s.Model, s.Margin = []string{"x.arrow"}, "out", "m", 0.5
			return s.Manifest()
		}, "5e715aedb1d1bf517049844b1ef168a8b32daa1227c84034870454ce5c2bffd9"},
		{"rejection", func() (run.Manifest, error) {
			s := rejection.Defaults()
			s.Prompts, s.Out, s.Model, s.Reward, s.Slots, s.Seed = []string{"x.arrow"}, "out", "m", "r", 3, 9
			return s.Manifest()
		}, "d27abe2f06910185c10d49a1ee69b94900fbb63264b7b1a08482dd30155806a5"},
		{"rejection, adapter and schema", func() (run.Manifest, error) {
			s := rejection.Defaults()
			s.Prompts, s.Out, s.Adapter, s.Check = []string{"x.arrow"}, "out", "a", rule.Settings{Kind: "schema", Schema: "s.json"}
			return s.Manifest()
		}, "8f616d15c1c98fb19937aa476bce7def2ed48a375a858c80be93f1a5c3fcabe1"},
		{"rejection, servers", func() (run.Manifest, error) {
			s := rejection.Defaults()
			s.Prompts, s.Out, s.Reward = []string{"x.arrow"}, "out", "r"
			s.Engine.URL, s.Engine.Model, s.Engine.KeyEnv, s.Engine.Concurrency = "http://a", "big", "KEY", 3
			s.RemoteReward.URL, s.RemoteReward.Model, s.RemoteReward.Batch = "http://b", "judge", 4
			return s.Manifest()
		}, "2e9af2dc678c2f3c337039447555bc3ff0c2a118eaeef801a789127a534e8ebc"},
		{"dpo", func() (run.Manifest, error) {
			s := dpo.Defaults()
			s.Preferences, s.Out, s.Model, s.Beta = []string{"x.arrow"}, "out", "m", 0.3
			return s.Manifest()
		}, "ef17d126bfc1709df77b1219a24d19b210c884e7f615a45c040b0c34eac9327c"},
		{"dpo, adapter", func() (run.Manifest, error) {
			s := dpo.Defaults()
			s.Preferences, s.Out, s.Model, s.Adapter, s.Recompute = []string{"x.arrow"}, "out", "m", "a", 1
			return s.Manifest()
		}, "f3adcb23568c0169c9c3174c7fec4677db88df80d698a63a0d2f4221ab5cd63c"},
		{"dpo, reference", func() (run.Manifest, error) {
			s := dpo.Defaults()
			s.Preferences, s.Out, s.Model, s.Reference = []string{"x.arrow", "y.arrow"}, "out", "m", "r"
			return s.Manifest()
		}, "45e4e069f6b7d893350b9dbf9cd8217d4f83894e45b44915dfed317d2746b378"},
	} {
		m, err := c.manifest()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if m.Digest != c.want {
			t.Errorf("%s: digest %s, want %s", c.name, m.Digest, c.want)
		}
	}
}
