package convert

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// GGUF's keys for a model's configuration follow the name of its architecture: llama.block_count
// (gguf-py, constants.py).
const (
	keyArchitecture = "general.architecture"
	keyName         = "general.name"
	keyBOS          = "tokenizer.ggml.bos_token_id"
	keyEOS          = "tokenizer.ggml.eos_token_id"
	keyEOT          = "tokenizer.ggml.eot_token_id" // end of a turn
	keyEOM          = "tokenizer.ggml.eom_token_id" // end of a message, before a tool's answer
)

// ggufArchitectures are llama.cpp's names for the architectures that herd trains,
// by Hugging Face's model types.
var ggufArchitectures = map[string]string{"llama": "llama", "mistral": "llama", "qwen2": "qwen2"}

// hfArchitectures are Hugging Face's names by llama.cpp's.
var hfArchitectures = map[string]string{"llama": model.CausalLM, "qwen2": "Qwen2ForCausalLM"}

// configFromGGUF translates metadata, and derives the rest from the tensors.
func configFromGGUF(file *gguf.File) (c model.Config, err error) {
	arch, err := gguf.Get[string](file.Metadata, keyArchitecture)
	if err != nil {
		return c, err
	}
	if hfArchitectures[arch] == "" {
		return c, fmt.Errorf("%s is %q: herd reads only llama and qwen2", keyArchitecture, arch)
	}
	f := &fields{Metadata: file.Metadata, prefix: arch + "."}
	c = f.config()
	c.ModelType, c.Architectures = arch, []string{hfArchitectures[arch]}
	if f.err != nil {
		return c, f.err
	}
	embedding, ok := file.Info("token_embd.weight")
	if !ok || len(embedding.Shape) != 2 {
		return c, errors.New("it has no embedding (token_embd.weight): is it a vocabulary without a model?")
	}
	c.VocabSize = embedding.Shape[0]
	_, untied := file.Info("output.weight")
	c.TiedHead = !untied
	if err := f.ropeScaling(&c, file); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// config translates the keys.
func (f *fields) config() model.Config {
	c := model.Config{
		HiddenSize:       f.count("embedding_length"),
		IntermediateSize: f.count("feed_forward_length"),
		Layers:           f.count("block_count"),
		Heads:            f.count("attention.head_count"),
		MaxPositions:     f.count("context_length"),
		NormEps:          f.numberOr("attention.layer_norm_rms_epsilon", 1e-5),
		RopeTheta:        f.numberOr("rope.freq_base", 10000),
		HiddenAct:        "silu",
		InitRange:        0.02,
	}
	c.KVHeads = f.countOr("attention.head_count_kv", c.Heads)
	c.HeadDim = f.countOr("attention.key_length", c.HiddenSize/max(c.Heads, 1))
	for _, name := range []string{"attention.value_length", "rope.dimension_count"} {
		if n := f.countOr(name, c.HeadDim); n != c.HeadDim && f.err == nil {
			f.err = fmt.Errorf("%s%s is %d, but heads have %d dimensions: not implemented", f.prefix, name, n, c.HeadDim)
		}
	}
	for _, name := range []string{"expert_count", "attention.sliding_window"} {
		if n := f.countOr(name, 0); n != 0 && f.err == nil {
			f.err = fmt.Errorf("%s%s is %d: not implemented", f.prefix, name, n)
		}
	}
	if id := field(f, keyBOS, f.Int, -1); id >= 0 {
		c.BOS = &id
	}
	for _, key := range []string{keyEOS, keyEOT, keyEOM} { // llama.cpp stops at all three
		if id := field(f, key, f.Int, -1); id >= 0 && !slices.Contains(c.EOS, id) {
			c.EOS = append(c.EOS, id)
		}
	}
	return c
}

// ropeScaling sets the scaling of the rotary frequencies: linear, which a key names, or Llama
// 3.1's, for which the file has only the resulting factors.
func (f *fields) ropeScaling(c *model.Config, file *gguf.File) error {
	switch kind := get(f, f.prefix+"rope.scaling.type", "none"); kind {
	case "none":
	case "linear":
		c.RopeScaling = &model.RopeScaling{Type: kind, Factor: f.numberOr("rope.scaling.factor", 1)}
		return f.err
	default:
		return fmt.Errorf("%srope.scaling.type is %q: only none and linear are implemented", f.prefix, kind)
	}
	info, ok := file.Info(ropeFreqs)
	if !ok {
		return f.err
	}
	factors := make([]float32, info.Len())
	if err := file.Read(ropeFreqs, factors); err != nil {
		return err
	}
	var err error
	c.RopeScaling, err = findScaling(*c, factors)
	return err
}

// findScaling returns the scaling of Llama 3.1 that gives these factors. Meta's models differ in
// the factor and perhaps in the context of their first training.
func findScaling(c model.Config, factors []float32) (*model.RopeScaling, error) {
	most := float32(0)
	for _, x := range factors {
		most = max(most, x)
	}
	if most <= 1 {
		return nil, nil
	}
	for original := 1024; original <= 1<<20; original *= 2 {
		s := &model.RopeScaling{Type: "llama3", Factor: float64(most), LowFreqFactor: 1, HighFreqFactor: 4, OriginalMaxPos: original}
		if near(ropeFactors(c, s), factors) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s does not scale rotary frequencies as Llama 3.1 does: not implemented", ropeFreqs)
}

// ropeFactors returns the divisors of the rotary frequencies, [HeadDim/2].
func ropeFactors(c model.Config, s *model.RopeScaling) []float32 {
	c.RopeScaling = nil
	plain := c.InvFreq()
	c.RopeScaling = s
	factors := make([]float32, len(plain))
	for i, scaled := range c.InvFreq() {
		factors[i] = float32(plain[i] / scaled)
	}
	return factors
}

// near reports whether two lists are equal up to the rounding of float32 arithmetic in other
// programs.
func near(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(float64(a[i]-b[i])) > 1e-4*float64(a[i]) {
			return false
		}
	}
	return true
}

// configToGGUF adds the keys of a configuration.
func configToGGUF(m *gguf.Metadata, c model.Config) error {
	arch, ok := ggufArchitectures[c.ModelType]
	if !ok || c.IsReward() {
		return fmt.Errorf("a model of type %s, %s cannot be stored in a GGUF file", c.ModelType, c.Architectures)
	}
	m.Set(keyArchitecture, arch)
	for _, k := range []struct {
		name  string
		value int
	}{
		{"context_length", c.MaxPositions}, {"embedding_length", c.HiddenSize}, {"block_count", c.Layers},
		{"feed_forward_length", c.IntermediateSize}, {"attention.head_count", c.Heads}, {"attention.head_count_kv", c.KVHeads},
		{"attention.key_length", c.HeadDim}, {"attention.value_length", c.HeadDim}, {"rope.dimension_count", c.HeadDim},
		{"vocab_size", c.VocabSize},
	} {
		m.Set(arch+"."+k.name, uint32(k.value))
	}
	m.Set(arch+".attention.layer_norm_rms_epsilon", float32(c.NormEps))
	m.Set(arch+".rope.freq_base", float32(c.RopeTheta))
	if s := c.RopeScaling; s != nil && s.Type == "linear" {
		m.Set(arch+".rope.scaling.type", s.Type)
		m.Set(arch+".rope.scaling.factor", float32(s.Factor))
	}
	return nil
}
