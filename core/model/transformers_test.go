package model_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// The directories and values of testdata/transformers.py: what Hugging Face's
// transformers wrote and computed.
var transformers = []string{"tiny_qwen2", "tiny_linear"}

type transformersGolden struct {
	Tokens [][]token.ID
	Logits [][][]float64
	Loss   float64
	Grads  map[string]struct {
		L2     float64
		First3 []float64
	}
	Reward struct {
		Score  []float32
		Values []float64
	}
}

func loadTransformers(t testing.TB, name string) (*model.Params, transformersGolden) {
	t.Helper()
	dir := filepath.Join("testdata", name)
	p, err := model.Load(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	var want transformersGolden
	readJSON(t, filepath.Join(dir, "values.json"), &want)
	return p, want
}

// rows are texts whose tokens are all computed: the last predicts a token that
// counts nothing.
func (g transformersGolden) rows() (rows []pack.Example) {
	for _, ids := range g.Tokens {
		rows = append(rows, pack.Text("text", append(ids[:len(ids):len(ids)], 0)))
	}
	return rows
}

// furthest returns the largest difference of logits, relative to those above 1.
func (g transformersGolden) furthest(logits []float32) (d float64) {
	i := 0
	for _, text := range g.Logits {
		for _, row := range text {
			for _, x := range row {
				d = math.Max(d, math.Abs(float64(logits[i])-x)/math.Max(1, math.Abs(x)))
				i++
			}
		}
	}
	return d
}

// TestTransformersLogits: in the graph and in the decoder.
func TestTransformersLogits(t *testing.T) {
	for _, name := range transformers {
		p, want := loadTransformers(t, name)
		if d := want.furthest(graphLogits(t, p, pack.Batch(want.rows()))); d > 2e-5 {
			t.Errorf("%s: logits differ by %v", name, d)
		}
		if d := want.furthest(want.decoded(t, p)); d > 2e-5 {
			t.Errorf("%s: decoded logits differ by %v", name, d)
		}
	}
}

// decoded returns the logits after each token.
func (g transformersGolden) decoded(t *testing.T, p *model.Params) (logits []float32) {
	d := newDecoder(t, p, 1)
	for _, ids := range g.Tokens {
		c := &cache{d: d}
		for _, id := range ids {
			logits = append(logits, step(t, d, c.next(id, true))...)
		}
	}
	return logits
}

// TestTransformersPlanted: a model without its biases, or without its scaling, is
// another one.
func TestTransformersPlanted(t *testing.T) {
	p, want := loadTransformers(t, "tiny_qwen2")
	clear(p.Layers[1].QKVBias.W)
	if d := want.furthest(graphLogits(t, p, pack.Batch(want.rows()))); d < 1e-2 {
		t.Errorf("without the biases of a layer logits differ by %v only", d)
	}
	p, want = loadTransformers(t, "tiny_linear")
	p.Config.RopeScaling = nil
	if d := want.furthest(graphLogits(t, p, pack.Batch(want.rows()))); d < 1e-2 {
		t.Errorf("without scaling logits differ by %v only", d)
	}
}

func TestTransformersGradients(t *testing.T) {
	for _, name := range transformers {
		p, want := loadTransformers(t, name)
		var rows []pack.Example
		for _, ids := range want.Tokens {
			rows = append(rows, pack.Text("text", ids))
		}
		b := pack.Batch(rows)
		if r := run(t, compile(t, p, b, model.CrossEntropy), b, 1/b.Norm, false); !near(r.Loss, want.Loss, 2e-5) {
			t.Errorf("%s: loss %v, want %v", name, r.Loss, want.Loss)
		}
		if len(p.Tensors) != len(want.Grads) {
			t.Errorf("%s: %d parameters, want %d", name, len(p.Tensors), len(want.Grads))
		}
		for _, param := range p.Tensors {
			g := want.Grads[param.Name]
			if got := norm(param.G); math.Abs(got-g.L2) > 1e-3*g.L2 {
				t.Errorf("%s: %s: gradient norm %v, want %v", name, param.Name, got, g.L2)
			}
			for i, x := range g.First3 {
				if math.Abs(float64(param.G[i])-x) > 1e-3*g.L2 {
					t.Errorf("%s: %s: gradient %d is %v, want %v", name, param.Name, i, param.G[i], x)
				}
			}
		}
	}
}

// TestTransformersReward: Qwen2ForSequenceClassification reads the last token.
func TestTransformersReward(t *testing.T) {
	_, want := loadTransformers(t, "tiny_qwen2")
	p, err := model.LoadReward("testdata/tiny_qwen2", false)
	if err != nil {
		t.Fatal(err)
	}
	copy(p.Score.W, want.Reward.Score)
	var rows []pack.Example
	for _, ids := range want.Tokens {
		rows = append(rows, pack.Example{Row: "text", Norm: 1, Prompt: pack.Run{IDs: ids, Value: true}})
	}
	b := pack.Batch(rows)
	prog, err := model.CompileForward(p, b.Size(), func(o *model.Outputs) model.Expr { return o.Value() })
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	for i, got := range run(t, prog, b, 1, false).Value {
		if !near(float64(got), want.Reward.Values[i], 2e-5) {
			t.Errorf("text %d is worth %v, want %v", i, got, want.Reward.Values[i])
		}
	}
}

// TestTransformersWeights: read, and written in their type, the weights are the same
// bytes, and config.json too; in a wider type they are the same numbers.
func TestTransformersWeights(t *testing.T) {
	for name, dtype := range map[string]string{"tiny_qwen2": "bfloat16", "tiny_linear": "float16", "tiny_llama": "float32"} {
		dir, same, wide := filepath.Join("testdata", name), t.TempDir(), t.TempDir()
		p, err := model.Load(dir, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.SaveAs(same, dtype), p.Save(wide)); err != nil {
			t.Fatal(err)
		}
		want := tensorBytes(t, dir)
		if got := tensorBytes(t, same); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the weights came back as other bytes", name)
		}
		want["model.norm.weight"] = "planted" + want["model.norm.weight"][7:]
		if reflect.DeepEqual(tensorBytes(t, same), want) {
			t.Errorf("%s: other bytes go unnoticed", name)
		}
		q, err := model.Load(wide, false)
		if err != nil || !slices.Equal(p.W, q.W) || q.Config.Type != "float32" {
			t.Errorf("%s: as float32 the weights are others, or said to be %s (%v)", name, q.Config.Type, err)
		}
	}
}

// tensorBytes returns the bytes of each tensor of a model, found without herd's reader.
func tensorBytes(t testing.TB, dir string) map[string]string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	all := make(map[string]string)
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		header, data := b[8:8+binary.LittleEndian.Uint64(b)], b[8+binary.LittleEndian.Uint64(b):]
		var tensors map[string]struct {
			DType   string
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(header, &tensors); err != nil {
			t.Fatal(err)
		}
		for name, info := range tensors {
			if name != "__metadata__" {
				all[name] = info.DType + ":" + string(data[info.Offsets[0]:info.Offsets[1]])
			}
		}
	}
	return all
}

// TestTransformersConfig: config.json of transformers comes back byte for byte.
func TestTransformersConfig(t *testing.T) {
	for _, name := range transformers {
		for _, file := range []string{"config.json", "generation_config.json"} {
			dir, out := filepath.Join("testdata", name), t.TempDir()
			c, err := model.LoadConfig(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Save(out); err != nil {
				t.Fatal(err)
			}
			want, _ := os.ReadFile(filepath.Join(dir, file))
			if got, err := os.ReadFile(filepath.Join(out, file)); err != nil || string(got) != string(want) {
				t.Errorf("%s: %s came back as %s (%v)", name, file, got, err)
			}
		}
	}
}
