package convert

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/internal/realdata"
	"github.com/herd-lm/herd/internal/testmodel"
)

// real returns the path of a real file, and skips the test where there is none.
func real(t testing.TB, name string) string {
	t.Helper()
	return realdata.Path(t, "data", name)
}

// small is a configuration with the features in which models differ: heads that share keys, a
// head dimension of its own, scaled rotary frequencies.
func small() model.Config {
	return model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu", InitRange: 0.02,
		VocabSize: 320, HiddenSize: 32, IntermediateSize: 48, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16,
		MaxPositions: 131072, RopeTheta: 500000, NormEps: 1e-5,
		RopeScaling: &model.RopeScaling{Type: "llama3", Factor: 32, LowFreqFactor: 1, HighFreqFactor: 4, OriginalMaxPos: 8192},
	}
}

// held are weights in memory.
type held struct{ *model.Params }

func (m held) Tensors() []Tensor {
	var all []Tensor
	for _, t := range m.Params.Tensors {
		all = append(all, Tensor{t.Name, t.Shape, "F32"})
	}
	return all
}

func (m held) Read(name string, dst []float32) error {
	i := slices.IndexFunc(m.Params.Tensors, func(t *model.Param) bool { return t.Name == name })
	copy(dst, m.Params.Tensors[i].W)
	return nil
}

func (held) Close() error { return nil }

// drawn returns a model with random weights and a tokenizer trained on text.
func drawn(t testing.TB, c model.Config) *Model {
	t.Helper()
	tok := testmodel.Tokenizer(t, 280, strings.Repeat("one two three, the herd moves on; ", 9))
	bos := int(tok.BOS())
	c.BOS, c.EOS = &bos, model.IntSet{int(tok.EOT())}
	p := model.NewParams(c, false)
	p.Init(7)
	for _, x := range p.Tensors { // norms too, so that a mix-up shows
		if len(x.Shape) == 1 {
			for i := range x.W {
				x.W[i] = 1 + float32(i%5)/8
			}
		}
	}
	return &Model{Name: "drawn", Config: c, Tokenizer: tok.WithTemplate(tokenizer.Template{Source: tokenizer.Llama3Template}), Weights: held{p}}
}

func silent(int, int) error { return nil }

// written writes a model and opens the result.
func written(t *testing.T, m *Model, form Form) *Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	if err := Write(path, m, form, false, silent); err != nil {
		t.Fatal(err)
	}
	again, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

// weights returns all weights of a model, one tensor after another.
func weights(t *testing.T, m *Model) []float32 {
	t.Helper()
	p, err := m.Params(false)
	if err != nil {
		t.Fatal(err)
	}
	return p.W
}
