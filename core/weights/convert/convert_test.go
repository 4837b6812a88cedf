package convert

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// TestRoundTrip writes models that differ where the formats differ, and reads the same
// configuration, weights and tokenizer again.
func TestRoundTrip(t *testing.T) {
	plain, linear, tied := small(), small(), small()
	plain.RopeScaling, plain.HeadDim, plain.KVHeads = nil, 8, 4
	linear.RopeScaling = &model.RopeScaling{Type: "linear", Factor: 2.5}
	tied.TiedHead = true
	qwen2 := plain
	qwen2.ModelType, qwen2.Architectures = "qwen2", []string{"Qwen2ForCausalLM"}
	for name, c := range map[string]model.Config{"llama3": small(), "plain": plain, "tied": tied, "linear": linear, "qwen2": qwen2} {
		if err := c.Validate(); err != nil {
			t.Logf("%s: not tested: %v", name, err)
			continue
		}
		m := drawn(t, c)
		for _, form := range []Form{HF, "gguf-f32"} {
			again := written(t, m, form)
			if got, want := asJSON(t, again.Config), asJSON(t, m.Config); got != want {
				t.Errorf("%s, %s: configuration\n%s\nwant\n%s", name, form, got, want)
			}
			if !slices.Equal(weights(t, again), weights(t, m)) {
				t.Errorf("%s, %s: other weights", name, form)
			}
			if again.Tokenizer.Digest() != m.Tokenizer.Digest() {
				t.Errorf("%s, %s: another tokenizer", name, form)
			}
		}
	}
}

// asJSON returns a configuration without the type of the weights, which may change, and without
// the sliding window that Qwen2's default would add.
func asJSON(t *testing.T, c model.Config) string {
	t.Helper()
	c.Type = ""
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(b), `"sliding_window":4096,`, "", 1)
}

// TestHuggingFaceKeepsTypes converts between directories and GGUF files: weights keep their type
// if both formats have it.
func TestHuggingFaceKeepsTypes(t *testing.T) {
	for form, want := range map[Form]string{"gguf-f32": "F32", "gguf-f16": "F16", "gguf-bf16": "BF16", "gguf-q8_0": "F32"} {
		c := small()
		c.IntermediateSize = 64 // whole blocks
		from := written(t, drawn(t, c), form)
		again := written(t, written(t, from, HF), HF)
		for _, x := range again.Weights.Tensors() {
			if len(x.Shape) == 2 && x.DType != want || len(x.Shape) == 1 && x.DType != "F32" {
				t.Errorf("%s: %s is %s", form, x.Name, x.DType)
			}
		}
		if !slices.Equal(weights(t, again), weights(t, from)) {
			t.Errorf("%s: other weights", form)
		}
	}
}

// TestForms checks that each form keeps the precision of its types.
func TestForms(t *testing.T) {
	m := drawn(t, small())
	want := weights(t, m)
	for form, most := range map[Form]float64{"gguf-f32": 0, "gguf-f16": 1.0 / 2048, "gguf-bf16": 1.0 / 256, "gguf-q8_0": 1.0 / 127, "gguf-q4_0": 1.0 / 8, "gguf-q4_k_m": 1.0 / 15} {
		got := weights(t, written(t, m, form))
		worst, scale := 0.0, 0.0
		for i := range want {
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
			scale = max(scale, math.Abs(float64(want[i])))
		}
		if worst > most*scale || most > 0 && worst == 0 {
			t.Errorf("%s: weights are off by up to %g of the largest, want some, but at most %g", form, worst/scale, most)
		}
	}
}

// greedy returns the n likeliest tokens of a model after BOS.
func greedy(t *testing.T, m *Model, n int, precision kernel.Precision) string {
	t.Helper()
	p, err := m.Params(false)
	if err != nil {
		t.Fatal(err)
	}
	p.Precision = precision
	w, err := model.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	engine := engine.New(w, nil, engine.Options{Slots: 1})
	var ids []token.ID
	r := sample.Request{Prompt: m.Tokenizer.Prompt(""), Seeds: []uint64{0}, Settings: sample.Settings{TopP: 1, MaxTokens: n}}
	err = engine.Generate(context.Background(), []sample.Request{r}, func(_ int, all []sample.Completion) error {
		ids = all[0].IDs
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Tokenizer.Decode(ids)
}

// stories opens the model of llama2.c with its tokenizer, and returns the story that its README
// gives for temperature 0.
func stories(t *testing.T) (m *Model, story string) {
	t.Helper()
	readme, err := os.ReadFile(real(t, "models/stories260K.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "-t 0.0\n")
	story, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatal("stories260K.md has another form")
	}
	m, err = Open(real(t, "models/stories260K.bin"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	tok, err := OpenTokenizer(real(t, "models/tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WithTokenizer(tok); err != nil {
		t.Fatal(err)
	}
	return m, story
}

// TestStories runs a model of llama2.c at temperature 0. Its own file and all files converted from
// it must tell the story of its README.
func TestStories(t *testing.T) {
	m, story := stories(t)
	tellers := map[string]*Model{"llama2.c": m}
	for _, form := range []Form{HF, "gguf-f32", "gguf-f16"} {
		tellers[string(form)] = written(t, m, form)
	}
	tellers["hf of gguf-f32"] = written(t, tellers["gguf-f32"], HF)
	for name, teller := range tellers {
		if got := greedy(t, teller, 256, kernel.FP32); got != story {
			t.Errorf("%s tells\n%s\nwant\n%s", name, got, story)
		}
	}
	for _, name := range []string{"hf", "gguf-f32", "hf of gguf-f32"} {
		if !slices.Equal(weights(t, tellers[name]), weights(t, m)) {
			t.Errorf("%s: other weights", name)
		}
	}
}

// TestRealGGUF opens a file that another program wrote.
func TestRealGGUF(t *testing.T) {
	m, err := Open(real(t, "models/llama-2-tiny-random.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c := m.Config
	if m.Kind != GGUF || c.Layers != 1 || c.HeadDim != 4 || c.NormEps != 1e-5 || c.TiedHead || m.Tokenizer.VocabSize() != 32000 {
		t.Errorf("read %+v", c)
	}
	for _, x := range weights(t, m) {
		if math.Abs(float64(x)) > 10 {
			t.Fatalf("a weight is %g", x)
		}
	}
	if got := m.Tokenizer.Prompt("Hello world"); !slices.Equal(got, []token.ID{1, 15043, 3186}) {
		t.Errorf("Hello world is %v", got) // as with Llama 2
	}
}

// TestVocabularies encodes llama.cpp's test texts with the vocabularies of its files.
func TestVocabularies(t *testing.T) {
	for _, name := range []string{"gpt-2", "llama-spm"} {
		tok, err := OpenTokenizer(real(t, "tokenizer/ggml-vocab-"+name+".gguf"))
		if err != nil {
			t.Fatal(err)
		}
		vectors := "tokenizer/vectors/ggml-vocab-" + name + ".gguf"
		texts, err := os.ReadFile(real(t, vectors+".inp"))
		if err != nil {
			t.Fatal(err)
		}
		ids, err := os.ReadFile(real(t, vectors+".out"))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(string(ids), "\n")
		for i, text := range strings.Split(string(texts), "\n__ggml_vocab_test__\n") {
			got := strings.Trim(fmt.Sprint(tok.Encode(text)), "[]")
			if got != strings.TrimSpace(want[i]) {
				t.Errorf("%s: %q is %s, want %s", name, text, got, want[i])
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for want, content := range map[string]string{
		"neither a Hugging Face directory": "something else",
		"a PyTorch file":                   "PK\x03\x04.....",
		"GGUF version 1":                   "GGUF\x01\x00\x00\x00",
	} {
		path := filepath.Join(t.TempDir(), "model")
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with the path and %q", err, want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "nothing")); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("a model that is not there: %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		err = u.Unwrap()
	}
}

// TestWriteRefuses tries models and paths that Write must refuse.
func TestWriteRefuses(t *testing.T) {
	exists := t.TempDir()
	if err := os.WriteFile(filepath.Join(exists, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(exists, "file")
	bare, reward := drawn(t, small()), drawn(t, small().Reward())
	bare.Tokenizer = nil
	large, broken := drawn(t, small()), drawn(t, small())
	large.Weights.(held).W[5] = 65520
	broken.Weights.(held).W[5] = float32(math.NaN())
	for _, c := range []struct {
		want, path string
		m          *Model
		form       Form
	}{
		{"exists", exists, drawn(t, small()), HF},
		{"exists", there, drawn(t, small()), "gguf-f32"},
		{"no tokenizer", "", bare, "gguf-f32"},
		{"cannot be stored in a GGUF file", "", reward, "gguf-f32"},
		{"unknown form", "", drawn(t, small()), "gguf-q3"},
		{"too large for F16", "", large, "gguf-f16"},
		{"is NaN", "", broken, "gguf-q8_0"},
	} {
		dir := t.TempDir()
		path := c.path
		if path == "" {
			path = filepath.Join(dir, "out")
		}
		if err := Write(path, c.m, c.form, false, silent); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%s: %v is left", c.want, left)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "out"), large, "gguf-bf16", false, silent); err != nil {
		t.Errorf("what F16 cannot hold, as BF16: %v", err)
	}
}

// TestTypes compares the choice of types with that of llama-quantize, for a model of 16 layers,
// with rows of whole blocks and without.
func TestTypes(t *testing.T) {
	matrix := []int{8, 512}
	for _, c := range []struct {
		form  Form
		name  string
		shape []int
		layer int
		tied  bool
		want  gguf.Type
	}{
		{"gguf-q8_0", "blk.0.attn_norm.weight", []int{512}, 0, false, gguf.F32},
		{"gguf-q8_0", "blk.0.attn_q.bias", []int{512}, 0, false, gguf.F32},
		{"gguf-q8_0", "blk.0.attn_q.weight", matrix, 0, false, gguf.Q8_0},
		{"gguf-q8_0", "blk.0.ffn_down.weight", []int{8, 172}, 0, false, gguf.F16},
		{"gguf-q4_0", "output.weight", matrix, -1, false, gguf.Q6_K},
		{"gguf-q4_0", "output.weight", []int{8, 288}, -1, false, gguf.Q8_0},
		{"gguf-q4_0", "token_embd.weight", matrix, -1, false, gguf.Q4_0},
		{"gguf-q4_0", "token_embd.weight", matrix, -1, true, gguf.Q6_K},
		{"gguf-q4_k_m", "token_embd.weight", []int{8, 576}, -1, true, gguf.Q8_0},
		{"gguf-q4_k_m", "token_embd.weight", []int{8, 50}, -1, true, gguf.F16},
		{"gguf-q4_k_m", "blk.0.attn_v.weight", matrix, 0, false, gguf.Q6_K},
		{"gguf-q4_k_m", "blk.2.attn_v.weight", matrix, 2, false, gguf.Q4_K},
		{"gguf-q4_k_m", "blk.4.attn_v.weight", matrix, 4, false, gguf.Q6_K},
		{"gguf-q4_k_m", "blk.14.ffn_down.weight", []int{8, 1536}, 14, false, gguf.Q6_K},
		{"gguf-q4_k_m", "blk.14.ffn_down.weight", []int{8, 704}, 14, false, gguf.Q8_0},
		{"gguf-q4_k_m", "blk.2.attn_q.weight", []int{8, 576}, 2, false, gguf.Q5_0},
		{"gguf-q4_k_m", "blk.2.attn_q.weight", []int{8, 50}, 2, false, gguf.F16},
	} {
		if got := mixtures[c.form].typeFor(c.name, c.shape, c.layer, 16, c.tied); got != c.want {
			t.Errorf("%s: %s %v is %v, want %v", c.form, c.name, c.shape, got, c.want)
		}
	}
}

func TestNames(t *testing.T) {
	for hf, g := range map[string]string{
		"model.embed_tokens.weight":               "token_embd.weight",
		"lm_head.weight":                          "output.weight",
		"model.layers.10.mlp.up_proj.weight":      "blk.10.ffn_up.weight",
		"model.layers.0.self_attn.q_proj.bias":    "blk.0.attn_q.bias",
		"model.layers.3.input_layernorm.weight":   "blk.3.attn_norm.weight",
		"model.layers.3.self_attn.o_proj.weight":  "blk.3.attn_output.weight",
		"model.layers.127.self_attn.v_proj.scale": "blk.127.attn_v.scale",
	} {
		if got, err := toGGUF(hf); got != g || err != nil {
			t.Errorf("%s is %s, %v, want %s", hf, got, err, g)
		}
		if got, err := fromGGUF(g); got != hf || err != nil {
			t.Errorf("%s is %s, %v, want %s", g, got, err, hf)
		}
	}
	for _, g := range []string{"", ".", "blk.0.ffn_gate_inp.weight", "blk.x.attn_q.weight", "blk.01.attn_q.weight"} {
		if got, err := fromGGUF(g); err == nil {
			t.Errorf("%q is %s, want an error", g, got)
		}
	}
}

// TestRotaryLayouts compares with the permutation of Meta's converter: reshape
// [heads, 2, dim/2, cols], swap the middle two.
func TestRotaryLayouts(t *testing.T) {
	const heads, dim, cols = 3, 8, 5
	hf := make([]float32, heads*dim*cols)
	for i := range hf {
		hf[i] = float32(i)
	}
	var want []float32
	for h := range heads {
		for i := range dim / 2 {
			for half := range 2 {
				row := h*dim + half*dim/2 + i
				want = append(want, hf[row*cols:(row+1)*cols]...)
			}
		}
	}
	got := slices.Clone(hf)
	interleave(got, dim, cols)
	if !slices.Equal(got, want) {
		t.Errorf("interleaved %v, want %v", got, want)
	}
	deinterleave(got, dim, cols)
	if !slices.Equal(got, hf) {
		t.Error("deinterleave is not the inverse of interleave")
	}
}

// TestPre finds llama.cpp's name for every pattern.
func TestPre(t *testing.T) {
	m := drawn(t, small())
	for _, p := range preTokenizers {
		v := m.Tokenizer.Vocabulary()
		v.Pattern, v.Form, v.WholePieces = p.pattern, p.form, p.wholePieces
		name, err := preFor(v)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
			continue
		}
		if back, err := preOf(name); err != nil || back.pattern != p.pattern || back.wholePieces != p.wholePieces {
			t.Errorf("%s is written as %s, which is %+v, %v", p.name, name, back, err)
		}
	}
	v := m.Tokenizer.Vocabulary()
	v.Pattern, v.WholePieces = tokenizer.GPT2, true
	if name, err := preFor(v); name != "gpt-2" {
		t.Errorf("whole pieces that merges make as well: %q, %v", name, err)
	}
	v.Merges = v.Merges[:len(v.Merges)-1] // now only whole pieces give the last token
	if name, err := preFor(v); err == nil {
		t.Errorf("whole pieces that merges do not make: %q, want an error", name)
	}
	v.Pattern = tokenizer.Whole
	if name, err := preFor(v); err == nil {
		t.Errorf("a pattern that llama.cpp has not: %q, want an error", name)
	}
}
