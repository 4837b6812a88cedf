package model_test

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// TestInvFreq holds the inverse frequencies against transformers' tests.
func TestInvFreq(t *testing.T) {
	var want struct {
		Dim     int
		Theta   float64
		Default []float64 // the first ones
		Llama3  struct {
			Factor      float64
			Low         float64   `json:"low_freq_factor"`
			High        float64   `json:"high_freq_factor"`
			OriginalMax int       `json:"original_max_position_embeddings"`
			InvFreq     []float64 `json:"inv_freq"`
		}
		RTol float64
	}
	readJSON(t, "testdata/rope_inv_freq_hf.json", &want)
	c := model.Config{HeadDim: want.Dim, RopeTheta: want.Theta}
	check := func(name string, got, want []float64, tolerance float64) {
		t.Helper()
		if len(got) != c.HeadDim/2 {
			t.Fatalf("%s: %d frequencies, want %d", name, len(got), c.HeadDim/2)
		}
		for i, w := range want {
			if math.Abs(got[i]-w) > tolerance*w {
				t.Errorf("%s: frequency %d is %v, want %v", name, i, got[i], w)
			}
		}
	}
	check("default", c.InvFreq(), want.Default, want.RTol)
	plain := c.InvFreq()
	l := want.Llama3
	c.RopeScaling = &model.RopeScaling{Type: "llama3", Factor: l.Factor, LowFreqFactor: l.Low, HighFreqFactor: l.High, OriginalMaxPos: l.OriginalMax}
	check("llama3", c.InvFreq(), l.InvFreq, want.RTol)
	c.RopeScaling = &model.RopeScaling{Type: "linear", Factor: 4} // of positions, and so of frequencies
	for i, f := range c.InvFreq() {
		if f != plain[i]/4 {
			t.Errorf("linear: frequency %d is %v, want a quarter of %v", i, f, plain[i])
		}
	}
	if math.Abs(plain[63]-l.InvFreq[63]) < want.RTol*plain[63] {
		t.Error("planted: frequencies without scaling pass for scaled ones")
	}
}

const goodConfig = `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32, "hidden_size": 16,
"intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 64, "eos_token_id": [2, 3]}`

// TestLoadConfig: fields that config.json leaves out get transformers' defaults, and
// errors name the fields that herd cannot compute.
func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	load := func(text string) (model.Config, error) {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return model.LoadConfig(dir)
	}
	c, err := load(goodConfig)
	if err != nil {
		t.Fatal(err)
	}
	if c.KVHeads != 2 || c.HeadDim != 8 || c.RopeTheta != 10000 || c.NormEps != 1e-6 || len(c.EOS) != 2 {
		t.Errorf("defaults: %+v", c)
	}
	if _, err := load(strings.Repeat(" ", 5<<20) + goodConfig); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a config.json of 5 MB: error %v", err)
	}
	for _, bad := range []struct{ old, new, want string }{
		{`"llama"`, `"gpt2"`, `model_type is "gpt2"`},
		{`LlamaForCausalLM`, `BertModel`, "architectures"},
		{`"vocab_size": 32`, `"vocab_size": -1`, "vocab_size"},
		{`"num_attention_heads": 2`, `"num_attention_heads": 2, "num_key_value_heads": 3`, "not a multiple"},
		{`"num_attention_heads": 2`, `"num_attention_heads": 2, "head_dim": 5`, "even"},
		{`"hidden_size": 16`, `"hidden_size": 16, "attention_bias": true`, "attention_bias"},
		{`"hidden_size": 16`, `"hidden_size": 16, "hidden_act": "gelu"`, "gelu"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_scaling": {"rope_type": "yarn", "factor": 2}`, "yarn"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_scaling": {"type": "dynamic", "factor": 2}`, "dynamic"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_scaling": {"type": "linear", "factor": 0}`, "factor"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_parameters": {"rope_type": "yarn", "rope_theta": 10000}`, "yarn"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_parameters": {"full_attention": {"rope_theta": 10000}}`, "each kind of layer"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_parameters": {"rope_theta": 10000, "partial_rotary_factor": 0.5}`, "partial"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_theta": 5, "rope_parameters": {"rope_theta": 6, "rope_type": "default"}`, "make them equal"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"rope_theta": 6, "rope_type": "default"}`, "make them equal"},
		{`"hidden_size": 16`, `"hidden_size": 16, "partial_rotary_factor": 0.5`, "partial"},
		{`"hidden_size": 16`, `"hidden_size": 16, "mlp_bias": true`, "mlp_bias"},
		{`"hidden_size": 16`, `"hidden_size": 16, "sliding_window": -1`, "sliding_window"},
		{`"hidden_size": 16`, `"hidden_size": 16, "quantization_config": {"bits": 4}`, "quantised"},
		{`"num_hidden_layers": 1`, `"num_hidden_layers": 1000000000`, "num_hidden_layers"},
		{`"llama"`, `"qwen2"`, "Qwen2ForCausalLM"},
		{`"eos_token_id": [2, 3]`, `"eos_token_id": "two"`, "token id"},
		{`"hidden_size": 16`, `"hidden_size": "wide"`, "config.json"},
		{`}`, ``, "config.json"},
	} {
		if _, err := load(strings.Replace(goodConfig, bad.old, bad.new, 1)); err == nil || !strings.Contains(err.Error(), bad.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %v, want one that says %q and names the file", bad.new, err, bad.want)
		}
	}
}

// TestConfigVariants: files of different programs and versions state the same settings
// in different ways.
func TestConfigVariants(t *testing.T) {
	base := `{"model_type": "llama", "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2`
	llama3 := `"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192`
	for _, c := range []struct {
		more    string
		theta   float64
		scaling string // rope_type
		context int
		bias    bool
		arch    string
	}{
		{``, 10000, "", 2048, false, "LlamaForCausalLM"},
		{`, "head_dim": null, "rope_scaling": null, "quantization_config": null`, 10000, "", 2048, false, "LlamaForCausalLM"},
		{`, "rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", ` + llama3 + `}`, 5e5, "llama3", 2048, false, "LlamaForCausalLM"},
		{`, "rope_parameters": {"rope_theta": 5e5, "rope_type": "llama3", ` + llama3 + `}`, 5e5, "llama3", 2048, false, "LlamaForCausalLM"},
		{`, "rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}`, 5e5, "", 2048, false, "LlamaForCausalLM"},
		{`, "rope_parameters": null`, 10000, "", 2048, false, "LlamaForCausalLM"},
		{`, "rope_theta": 5e5, "rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"rope_theta": 5e5, "rope_type": "linear", "factor": 2.0}`, 5e5, "linear", 2048, false, "LlamaForCausalLM"},
		{`, "sliding_window": 100`, 10000, "", 2048, false, "LlamaForCausalLM"}, // a Llama has none
		{`, "model_type": "mistral", "num_key_value_heads": 2`, 10000, "", 4096, false, "MistralForCausalLM"},
		{`, "model_type": "mistral", "num_key_value_heads": 2, "sliding_window": null`, 10000, "", 131072, false, "MistralForCausalLM"},
		{`, "model_type": "mistral", "num_key_value_heads": 2, "sliding_window": 4096, "max_position_embeddings": 1024`, 10000, "", 1024, false, "MistralForCausalLM"},
		{`, "model_type": "qwen2", "num_key_value_heads": 2, "sliding_window": 4096, "use_sliding_window": false`, 10000, "", 32768, true, "Qwen2ForCausalLM"},
		{`, "model_type": "qwen2", "num_key_value_heads": 2, "attention_bias": false`, 10000, "", 32768, true, "Qwen2ForCausalLM"},
		{`, "model_type": "qwen2", "num_key_value_heads": 2, "sliding_window": 4096, "use_sliding_window": true`, 10000, "", 4096, true, "Qwen2ForCausalLM"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(base+c.more+"}"), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := model.LoadConfig(dir)
		if err != nil {
			t.Errorf("%s: %v", c.more, err)
			continue
		}
		scaling := ""
		if got.RopeScaling != nil {
			scaling = got.RopeScaling.Type
		}
		if got.RopeTheta != c.theta || scaling != c.scaling || got.Context() != c.context || got.QKVBias() != c.bias || got.Architectures[0] != c.arch {
			t.Errorf("%s: theta %g, scaling %q, context %d, biases %v, %s", c.more, got.RopeTheta, scaling, got.Context(), got.QKVBias(), got.Architectures[0])
		}
	}
}

// TestCheckContext: the error says when a sliding window is the limit.
func TestCheckContext(t *testing.T) {
	window := 8
	c := model.Config{ModelType: "mistral", MaxPositions: 64, SlidingWindow: &window}
	if err := c.CheckContext(8); err != nil {
		t.Error(err)
	}
	if err := c.CheckContext(9); err == nil || !strings.Contains(err.Error(), "sliding window of 8") {
		t.Errorf("error %v", err)
	}
	c.SlidingWindow = nil
	if err := c.CheckContext(65); err == nil || !strings.Contains(err.Error(), "64 positions") {
		t.Errorf("error %v", err)
	}
}

// TestConfigKeeps: fields that herd does not use or does not change are saved as they
// were, and fields that it changes are not.
func TestConfigKeeps(t *testing.T) {
	const source = `{
  "architectures": [
    "Qwen2ForCausalLM"
  ],
  "dtype": "bfloat16",
  "eos_token_id": [
    7,
    5
  ],
  "hidden_size": 16,
  "intermediate_size": 24,
  "layer_types": [
    "full_attention"
  ],
  "max_position_embeddings": 64,
  "model_type": "qwen2",
  "num_attention_heads": 2,
  "num_hidden_layers": 1,
  "num_key_value_heads": 2,
  "rope_parameters": {
    "rope_theta": 1000000.0,
    "rope_type": "default"
  },
  "sliding_window": null,
  "transformers_version": "5.12.1 <&>",
  "vocab_size": 32
}
`
	const generation = `{"do_sample": true, "eos_token_id": [5, 6],   "temperature": 0.6}`
	dir, out := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write("config.json", source)
	write("generation_config.json", generation)
	c, err := model.LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.StopIDs(9, 6); !slices.Equal(got, []token.ID{9, 6, 7, 5}) {
		t.Errorf("stops at %v", got)
	}
	if err := c.Save(out); err != nil {
		t.Fatal(err)
	}
	if got := read("config.json"); got != source {
		t.Errorf("config.json came back as\n%s", got)
	}
	if got := read("generation_config.json"); got != generation {
		t.Errorf("generation_config.json came back as %s", got)
	}
	c.Type = "float32"
	if err := c.Reward().Save(out); err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("Qwen2ForCausalLM", "Qwen2ForSequenceClassification", "bfloat16", "float32",
		`  "rope_parameters"`, "  \"num_labels\": 1,\n  \"rope_parameters\"").Replace(source)
	if got := read("config.json"); got != want {
		t.Errorf("the reward model's config.json is\n%s", got)
	}
	c.RopeTheta = 5
	if err := c.Save(out); err != nil {
		t.Fatal(err)
	}
	if other, err := model.LoadConfig(out); err != nil || other.RopeTheta != 5 {
		t.Errorf("another rope_theta came back as %g, %v", other.RopeTheta, err)
	}
	write("generation_config.json", `{"eos_token_id": "end"}`)
	if _, err := model.LoadConfig(dir); err == nil || !strings.Contains(err.Error(), "generation_config.json") {
		t.Errorf("a bad generation_config.json: error %v", err)
	}
}

// FuzzLoadConfig: nothing that a config.json says is a crash, or makes a model
// that cannot be counted; what is read, and saved, is read again.
func FuzzLoadConfig(f *testing.F) {
	f.Add(goodConfig)
	f.Add(`{"model_type": "qwen2", "vocab_size": 16777216, "hidden_size": 1048576, "intermediate_size": 4194304, "num_hidden_layers": 1024, "num_attention_heads": 1024, "head_dim": 65536, "num_key_value_heads": 1024}`)
	f.Add(`{"rope_parameters": {"rope_theta": 1e300, "rope_type": "linear", "factor": 1e-300}, "dtype": "x", "id2label": {"0": "a"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		path := filepath.Join(dir, "config.json")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := model.LoadConfig(dir)
		if err != nil {
			return
		}
		if n := c.TrainingBytes(true); n <= 0 {
			t.Errorf("%d bytes", n)
		}
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		again, err := model.LoadConfig(dir)
		if err != nil {
			t.Fatalf("what was saved cannot be read: %v", err)
		}
		c.Source, again.Source = nil, nil
		if !reflect.DeepEqual(c, again) {
			t.Errorf("%+v came back as %+v", c, again)
		}
	})
}

// TestHugeClaim: a config.json that asks for more than the weights' file holds is
// refused before there is memory for it.
func TestHugeClaim(t *testing.T) {
	dir := t.TempDir()
	p := random(t, small(false))
	if err := p.Save(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	huge := strings.Replace(string(text), `"intermediate_size": 44`, `"intermediate_size": 4194304`, 1) // 2.4 GB
	if err := os.WriteFile(path, []byte(huge), 0o666); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = model.Load(dir, false)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "gate_proj.weight has shape [44 24], config.json says [4194304 24]") {
		t.Errorf("error %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes were taken", took)
	}
}

// TestSaveLoad: a model, a tied one and a reward model come back the same; a
// language model becomes a reward model, but not the other way round.
func TestSaveLoad(t *testing.T) {
	for name, c := range map[string]model.Config{"untied": small(false), "tied": small(true), "reward": small(true).Reward()} {
		dir := t.TempDir()
		p := random(t, c)
		if err := p.Save(dir); err != nil {
			t.Fatal(err)
		}
		q, err := model.Load(dir, false)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := difference(p.W, q.W); d != 0 || q.G != nil {
			t.Errorf("%s: weights differ by %v", name, d)
		}
		r, err := model.LoadReward(dir, true)
		if err != nil || r.Score == nil || r.Head != nil || len(r.G) != len(r.W) {
			t.Errorf("%s as reward model: %v", name, err)
		}
		if name == "reward" {
			if d := difference(p.Score.W, r.Score.W); d != 0 {
				t.Errorf("value head differs by %v", d)
			}
			if _, err := (model.Source{Model: dir}).LoadAs(small(true), false); err == nil || !strings.Contains(err.Error(), "score.weight") {
				t.Errorf("a reward model loaded as a language model: %v", err)
			}
		}
	}
	if err := random(t, small(true)).SaveAs(t.TempDir(), "int8"); err == nil || !strings.Contains(err.Error(), "bfloat16") {
		t.Errorf("saved as int8: %v", err)
	}
	if _, err := (model.Source{Model: tiny}).LoadAs(small(true), false); err == nil {
		t.Error("weights of another shape were loaded")
	}
}
