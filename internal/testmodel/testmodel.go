// Package testmodel makes the small random models and tokenizers that the tests of many
// packages need. Begin with Shape, Tokenizer and Write.
package testmodel

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// Shape is what differs between the models of tests. KVHeads of 0 means 1, HeadDim of 0
// means Hidden/Heads.
type Shape struct {
	Vocab, Hidden, Intermediate, Layers, Heads, KVHeads, HeadDim, Positions int

	InitRange float64 // standard deviation of the random weights
	Tied      bool    // the head is the embedding
}

// Config returns the configuration of a Llama of the shape.
func (s Shape) Config() model.Config {
	return model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu",
		VocabSize: s.Vocab, HiddenSize: s.Hidden, IntermediateSize: s.Intermediate, Layers: s.Layers,
		Heads: s.Heads, KVHeads: max(s.KVHeads, 1), HeadDim: s.headDim(),
		MaxPositions: s.Positions, RopeTheta: 10000, NormEps: 1e-5, InitRange: s.InitRange, TiedHead: s.Tied,
	}
}

func (s Shape) headDim() int {
	if s.HeadDim > 0 {
		return s.HeadDim
	}
	return s.Hidden / s.Heads
}

// Blank returns a model whose matrices are zero: every token is as likely as any other.
func Blank(t testing.TB, c model.Config) *model.Params {
	t.Helper()
	p, err := model.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Random returns a model with random weights. The value head of a reward model, which
// Init leaves zero, repeats the given weights.
func Random(t testing.TB, c model.Config, seed uint64, head ...float32) *model.Params {
	t.Helper()
	p := Blank(t, c)
	p.Init(seed)
	if p.Score != nil && len(head) > 0 {
		for i := range p.Score.W {
			p.Score.W[i] = head[i%len(head)]
		}
	}
	return p
}

// Pack returns the weights of p as decoders read them.
func Pack(t testing.TB, p *model.Params) *model.Packed {
	t.Helper()
	w, err := model.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Tokenizer returns a byte-level BPE of the given vocabulary, trained on texts, with the
// special tokens and the chat template of Llama 3.
func Tokenizer(t testing.TB, vocab int, texts ...string) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Train(slices.Values(texts), tokenizer.TrainSettings{VocabSize: vocab})
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// Format returns the chat template of a tokenizer.
func Format(t testing.TB, tok *tokenizer.Tokenizer) *template.Format {
	t.Helper()
	format, err := template.New(tok)
	if err != nil {
		t.Fatal(err)
	}
	return format
}

// Write writes a model directory, which is made if it is not there.
func Write(t testing.TB, dir string, p *model.Params, tok *tokenizer.Tokenizer) {
	t.Helper()
	if err := Save(dir, p, tok); err != nil {
		t.Fatal(err)
	}
}

// Save is Write for programs that have no test.
func Save(dir string, p *model.Params, tok *tokenizer.Tokenizer) error {
	return errors.Join(os.MkdirAll(dir, 0o777), p.Save(dir), tok.Save(dir))
}
