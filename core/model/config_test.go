package model_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
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
	if math.Abs(plain[63]-l.InvFreq[63]) < want.RTol*plain[63] {
		t.Error("planted: frequencies without scaling pass for scaled ones")
	}
}

const goodConfig = `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 32, "hidden_size": 16,
"intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 64, "eos_token_id": [2, 3]}`

// TestLoadConfig: what a config.json may leave out is what transformers assumes,
// and what herd cannot compute is refused by name.
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
	for _, bad := range []struct{ old, new, want string }{
		{`"llama"`, `"gpt2"`, `model_type is "gpt2"`},
		{`LlamaForCausalLM`, `BertModel`, "architectures"},
		{`"vocab_size": 32`, `"vocab_size": -1`, "vocab_size"},
		{`"num_attention_heads": 2`, `"num_attention_heads": 2, "num_key_value_heads": 3`, "no multiple"},
		{`"num_attention_heads": 2`, `"num_attention_heads": 2, "head_dim": 5`, "even"},
		{`"hidden_size": 16`, `"hidden_size": 16, "attention_bias": true`, "attention_bias"},
		{`"hidden_size": 16`, `"hidden_size": 16, "hidden_act": "gelu"`, "gelu"},
		{`"hidden_size": 16`, `"hidden_size": 16, "rope_scaling": {"rope_type": "yarn", "factor": 2}`, "yarn"},
		{`"eos_token_id": [2, 3]`, `"eos_token_id": "two"`, "token id"},
		{`"hidden_size": 16`, `"hidden_size": "wide"`, "config.json"},
		{`}`, ``, "config.json"},
	} {
		if _, err := load(strings.Replace(goodConfig, bad.old, bad.new, 1)); err == nil || !strings.Contains(err.Error(), bad.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %v, want one that says %q and names the file", bad.new, err, bad.want)
		}
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
	if _, err := (model.Source{Model: tiny}).LoadAs(small(true), false); err == nil {
		t.Error("weights of another shape were loaded")
	}
}
