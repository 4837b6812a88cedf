// Command llamacpp writes small random models for scripts/parity/llamacpp.sh. They have
// features that no training here produces: rotary frequencies scaled as in Llama 3.1 and
// linearly, and a Qwen2 with its biases.
//
//	go run ./scripts/parity/llamacpp TOKENIZER OUT    writes OUT/llama3, OUT/linear, OUT/qwen2
package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: llamacpp TOKENIZER OUT")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "llamacpp:", err)
		os.Exit(1)
	}
}

func write(from, out string) error {
	tok, err := tokenizer.Load(from)
	if err != nil {
		return err
	}
	for name, c := range configs(tok.VocabSize()) {
		if err := c.Validate(); err != nil {
			fmt.Printf("no %s: %v\n", name, err)
			continue
		}
		dir := filepath.Join(out, name)
		if err := errors.Join(os.MkdirAll(dir, 0o777), draw(c).Save(dir), tok.Save(dir)); err != nil {
			return err
		}
	}
	return nil
}

// configs returns small models whose answers soon differ if rotary frequencies do, because
// they are longer than the context that Llama's scaling starts from.
func configs(vocabulary int) map[string]model.Config {
	plain := model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu", InitRange: 0.2,
		VocabSize: vocabulary, HiddenSize: 64, IntermediateSize: 96, Layers: 3, Heads: 4, KVHeads: 2, HeadDim: 32,
		MaxPositions: 512, RopeTheta: 10000, NormEps: 1e-5,
	}
	llama3, linear, qwen2 := plain, plain, plain
	llama3.RopeScaling = &model.RopeScaling{Type: "llama3", Factor: 8, LowFreqFactor: 1, HighFreqFactor: 4, OriginalMaxPos: 1024}
	linear.RopeScaling = &model.RopeScaling{Type: "linear", Factor: 4}
	qwen2.ModelType, qwen2.Architectures, qwen2.HeadDim = "qwen2", []string{"Qwen2ForCausalLM"}, 16
	return map[string]model.Config{"llama3": llama3, "linear": linear, "qwen2": qwen2}
}

// draw returns a model with random weights, norms and biases included.
func draw(c model.Config) *model.Params {
	p := model.NewParams(c, false)
	p.Init(3)
	random := rand.New(rand.NewPCG(1, 2))
	for _, t := range p.Tensors {
		if len(t.Shape) == 1 {
			for i := range t.W {
				t.W[i] += float32(random.NormFloat64()) * 0.3
			}
		}
	}
	return p
}
