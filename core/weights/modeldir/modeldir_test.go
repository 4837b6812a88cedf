package modeldir_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/weights/checkpoint"
	"github.com/herd-lm/herd/core/weights/modeldir"
	"github.com/herd-lm/herd/internal/testmodel"
)

// spoil changes a model before writing, or its directory afterwards.
type spoil struct {
	config func(*model.Config)
	params func(*model.Params)
	dir    func(dir string) error
}

// write writes a small Qwen2 with a tokenizer to a new directory.
func write(t testing.TB, seed uint64, dtype string, s spoil) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	text := strings.Repeat("the herd moves over the hills where the grass is green and the river runs. ", 3)
	tok := testmodel.Tokenizer(t, 300, text)
	c := testmodel.Shape{Vocab: 300, Hidden: 16, Intermediate: 24, Layers: 2, Heads: 2, Positions: 64, InitRange: 0.3, Tied: true}.Config()
	c.Architectures, c.ModelType, c.EOS = []string{"Qwen2ForCausalLM"}, "qwen2", model.IntSet{2, 299}
	if s.config != nil {
		s.config(&c)
	}
	p := testmodel.Random(t, c, seed)
	if s.params != nil {
		s.params(p)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o777), p.SaveAs(dir, dtype), tok.Save(dir)); err != nil {
		t.Fatal(err)
	}
	if s.dir != nil {
		if err := s.dir(dir); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// edit replaces text in a file of a directory.
func edit(name, old, new string) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(b), old) {
			return errors.Join(err, errors.New("nothing to replace"))
		}
		return os.WriteFile(path, []byte(strings.Replace(string(b), old, new, 1)), 0o666)
	}
}

// withHead adds a head to a tied model's weights: a changed copy of the embedding.
func withHead(change func([]float32)) func(string) error {
	return func(dir string) error {
		p, err := model.Load(dir, false)
		if err != nil {
			return err
		}
		var sources []checkpoint.Source
		for _, t := range p.Tensors {
			sources = append(sources, checkpoint.Tensor{Name: t.Name, Shape: t.Shape, Data: t.W}.As(checkpoint.F32))
		}
		head := slices.Clone(p.Embed.W)
		change(head)
		sources = append(sources, checkpoint.Tensor{Name: "lm_head.weight", Shape: p.Embed.Shape, Data: head}.As(checkpoint.F32))
		return checkpoint.WriteModel(dir, sources, nil, 0)
	}
}

// TestVerify: Verify finds each fault with its place, and nothing in a sound model.
func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		spoil spoil
		want  []string // a finding each: where, and a part of what
	}{
		"sound":        {spoil{}, nil},
		"a tied head":  {spoil{dir: withHead(func([]float32) {})}, nil},
		"no tokenizer": {spoil{dir: func(dir string) error { return os.Remove(filepath.Join(dir, "tokenizer.json")) }}, nil},
		"another head": {spoil{dir: withHead(func(w []float32) { w[7], w[9] = 3, 4 })}, []string{"lm_head.weight: differs from model.embed_tokens.weight in 2 numbers"}},
		"no numbers": {spoil{params: func(p *model.Params) {
			p.Norm.W[3], p.Norm.W[5] = float32(math.NaN()), float32(math.Inf(-1))
		}}, []string{"model.norm.weight: 2 of 16 numbers are not finite, the first is number 3"}},
		"no config":         {spoil{dir: edit("config.json", "{", "[")}, []string{"config.json: "}},
		"other shape":       {spoil{dir: edit("config.json", `"intermediate_size": 24`, `"intermediate_size": 8`)}, []string{"model.layers.0.mlp.gate_proj.weight: has shape [24 16], but config.json implies [8 16]"}},
		"other family":      {spoil{dir: edit("config.json", "Qwen2ForCausalLM", "LlamaForCausalLM")}, []string{"config.json: "}},
		"fewer layers":      {spoil{dir: edit("config.json", `"num_hidden_layers": 2`, `"num_hidden_layers": 1`)}, []string{"model.layers.1.input_layernorm.weight: is not part of the model that config.json describes"}},
		"more layers":       {spoil{dir: edit("config.json", `"num_hidden_layers": 2`, `"num_hidden_layers": 3`)}, []string{"model.layers.2.input_layernorm.weight: is missing"}},
		"untied":            {spoil{dir: edit("config.json", `"tie_word_embeddings": true`, `"tie_word_embeddings": false`)}, []string{"lm_head.weight: is missing"}},
		"small vocabulary":  {spoil{config: func(c *model.Config) { c.VocabSize = 280 }}, []string{"tokenizer: has 300 tokens, but vocab_size in config.json is only 280"}},
		"end outside":       {spoil{config: func(c *model.Config) { c.EOS = model.IntSet{2, 299, 300} }}, []string{"config.json: eos_token_id 300 of config.json or generation_config.json is outside"}},
		"end not in config": {spoil{config: func(c *model.Config) { c.EOS = model.IntSet{2} }}, []string{"config.json: eos_token_id [2] lacks 299, <|eot_id|>"}},
		"end not in generation": {spoil{config: func(c *model.Config) { c.Generation = []byte(`{"eos_token_id": 2}`) }},
			[]string{"generation_config.json: eos_token_id [2] lacks 299, <|eot_id|>"}},
		"no end in generation": {spoil{config: func(c *model.Config) { c.Generation = []byte(`{"do_sample": true}`) }},
			[]string{"generation_config.json: eos_token_id [] lacks 299, <|eot_id|>"}},
		"cut short": {spoil{dir: func(dir string) error { return os.Truncate(filepath.Join(dir, "model.safetensors"), 5000) }},
			[]string{"weights: "}},
		"bad tokenizer": {spoil{dir: edit("tokenizer.json", "{", "[")}, []string{"tokenizer: "}},
		"bad template": {spoil{dir: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "chat_template.jinja"), []byte("{% if %}"), 0o666)
		}}, []string{"chat template: "}},
		"bad manifest": {spoil{dir: func(dir string) error { return os.WriteFile(filepath.Join(dir, "herd.json"), []byte("{}"), 0o666) }}, []string{"herd.json: "}},
	} {
		dir := write(t, 1, "float32", c.spoil)
		r, err := modeldir.Verify(t.Context(), dir, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, f := range r.Findings {
			got = append(got, f.Where+": "+f.What)
		}
		if len(c.want) == 0 && len(got) > 0 || len(c.want) > 0 && (len(got) == 0 || !strings.HasPrefix(got[0], c.want[0])) {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
		if c.want == nil && (r.Tensors < 25 || r.Parameters == 0 || r.DTypes["F32"] != r.Parameters) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := modeldir.Verify(ctx, write(t, 1, "float32", spoil{}), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// average averages directories into a new one.
func average(t testing.TB, weights []float64, models ...string) (string, error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	return out, modeldir.Averaging{Out: out, Models: models, Weights: weights}.Run(t.Context())
}

func load(t testing.TB, dir string) *model.Params {
	t.Helper()
	p, err := model.Load(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAverage compares with the mean of the models in memory. The mean of a model with itself
// equals the model byte for byte.
func TestAverage(t *testing.T) {
	dirs := []string{write(t, 1, "float32", spoil{}), write(t, 2, "float32", spoil{}), write(t, 3, "bfloat16", spoil{})}
	for _, c := range []struct{ weights, shares []float64 }{
		{nil, []float64{1. / 3, 1. / 3, 1. / 3}}, {[]float64{2, 1, 5}, []float64{.25, .125, .625}}, {[]float64{0, 0, 9}, []float64{0, 0, 1}},
	} {
		out, err := average(t, c.weights, dirs...)
		if err != nil {
			t.Fatal(err)
		}
		got := load(t, out)
		var models []*model.Params
		for _, dir := range dirs {
			models = append(models, load(t, dir))
		}
		for i, x := range got.W {
			var want, planted float64
			for k, p := range models {
				want += c.shares[k] * float64(p.W[i])
				planted += c.shares[(k+1)%3] * float64(p.W[i])
			}
			if x != float32(want) {
				t.Fatalf("weights %v: parameter %d is %v, want %v", c.weights, i, x, want)
			}
			if i == 5 && c.weights != nil && x == float32(planted) {
				t.Error("the weights of other models go unnoticed")
			}
		}
		r, err := modeldir.Verify(t.Context(), out, nil)
		if err != nil || len(r.Findings) > 0 || r.Tokens != 300 {
			t.Errorf("the mean: %+v, %v", r, err)
		}
		m, err := run.ReadManifest(out)
		if err != nil || m.Stage != "average" || len(m.Inputs) != 3 {
			t.Errorf("manifest %+v, %v", m, err)
		}
	}
	for _, dir := range dirs[1:] {
		more := filepath.Join(dir, "additional_chat_templates")
		if err := errors.Join(os.Mkdir(more, 0o777), os.WriteFile(filepath.Join(more, "tool_use.jinja"), []byte("{{ 1 }}"), 0o666)); err != nil {
			t.Fatal(err)
		}
		out, err := average(t, nil, dir, dir, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "additional_chat_templates/tool_use.jinja"} {
			got, _ := os.ReadFile(filepath.Join(out, name))
			if want, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != string(want) {
				t.Errorf("%s of a model and itself is another (%v)", name, err)
			}
		}
	}
}

// TestAverageRefuses: Run refuses models that are not alike and invalid weights, and leaves no
// files behind.
func TestAverageRefuses(t *testing.T) {
	good := write(t, 1, "float32", spoil{})
	head := write(t, 2, "float32", spoil{dir: withHead(func([]float32) {})})
	for name, c := range map[string]struct {
		weights []float64
		models  []string
		want    string
	}{
		"one":           {nil, []string{good}, "two or more"},
		"weights":       {[]float64{1}, []string{good, good}, "1 weights for 2 models"},
		"negative":      {[]float64{1, -1}, []string{good, good}, "-1"},
		"nothing":       {[]float64{0, 0}, []string{good, good}, "add up to 0"},
		"NaN":           {[]float64{1, math.NaN()}, []string{good, good}, "NaN"},
		"other config":  {nil, []string{good, write(t, 2, "float32", spoil{config: func(c *model.Config) { c.RopeTheta = 5 }})}, "rope_theta 10000 and 5"},
		"other tensors": {nil, []string{good, head}, "no tensor lm_head.weight"},
		"no tokenizer":  {nil, []string{good, write(t, 2, "float32", spoil{dir: func(dir string) error { return os.Remove(filepath.Join(dir, "tokenizer.json")) }})}, "tokenizers"},
		"no model":      {nil, []string{good, t.TempDir()}, "config.json"},
	} {
		out, err := average(t, c.weights, c.models...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: %s was made all the same", name, out)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	out := filepath.Join(t.TempDir(), "out")
	a := modeldir.Averaging{Out: out, Models: []string{good, good}, Progress: func(done, all int) {
		if done == all/2 {
			cancel()
		}
	}}
	err := a.Run(ctx)
	if left, _ := os.ReadDir(filepath.Dir(out)); !errors.Is(err, context.Canceled) || len(left) > 0 {
		t.Errorf("stopped in the middle: %v, left %v", err, left)
	}
}

// TestDiff: a model equals itself; Diff finds each change and its size.
func TestDiff(t *testing.T) {
	a := write(t, 1, "float32", spoil{})
	same, err := modeldir.Diff(t.Context(), a, write(t, 1, "float32", spoil{}), nil)
	if err != nil || len(same.Config)+len(same.OnlyA)+len(same.OnlyB)+len(same.Shapes)+len(same.Tensors) > 0 || same.Tokenizer || same.Same < 25 || same.Relative != 0 {
		t.Errorf("the same model: %+v, %v", same, err)
	}
	b := write(t, 1, "float32", spoil{
		config: func(c *model.Config) { c.EOS = model.IntSet{2, 3, 299} },
		params: func(p *model.Params) {
			for i := range p.Norm.W { // of ones
				p.Norm.W[i] = 1.5
			}
			p.Layers[0].QKVBias.W[0] = 1 // of zeros
			p.Layers[1].Down.W[4] = float32(math.NaN())
		},
		dir: func(dir string) error { return os.Remove(filepath.Join(dir, "tokenizer.json")) },
	})
	d, err := modeldir.Diff(t.Context(), a, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Config) != 1 || d.Config[0].Name != "eos_token_id" || string(d.Config[0].A) != "[2,299]" || string(d.Config[0].B) != "[2,3,299]" || !d.Tokenizer {
		t.Errorf("config %+v, tokenizer %v", d.Config, d.Tokenizer)
	}
	if len(d.Tensors) != 3 {
		t.Fatalf("tensors %+v", d.Tensors)
	}
	nan, bias, norm := d.Tensors[0], d.Tensors[1], d.Tensors[2]
	if nan.Name != "model.layers.1.mlp.down_proj.weight" || !nan.NaN || nan.Numbers != 1 {
		t.Errorf("a NaN: %+v", nan)
	}
	if bias.Name != "model.layers.0.self_attn.q_proj.bias" || bias.Relative != 1 || bias.Norm != 1 || bias.Numbers != 1 {
		t.Errorf("a bias: %+v", bias)
	}
	if norm.Name != "model.norm.weight" || math.Abs(norm.Relative-1./3) > 1e-12 || norm.Norm != 2 || norm.Numbers != 16 {
		t.Errorf("a norm: %+v", norm)
	}
	other, err := modeldir.Diff(t.Context(), a, write(t, 1, "float32", spoil{config: func(c *model.Config) {
		c.TiedHead, c.IntermediateSize = false, 32
	}}), nil)
	if err != nil || !slices.Equal(other.OnlyB, []string{"lm_head.weight"}) || len(other.OnlyA) > 0 || len(other.Shapes) != 6 {
		t.Errorf("another shape: %+v, %v", other, err)
	}
	if _, err := modeldir.Diff(t.Context(), a, t.TempDir(), nil); err == nil {
		t.Error("no model differs")
	}
}
