package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
)

// settings say what to measure and how often.
type settings struct {
	shape
	precision kernel.Precision
	threads   int
	steps     int // timed steps
	warmup    int // untimed steps before them
	micro     int // tokens computed at once; 0: all of a step
	prompt    int // tokens of a sequence before decoding begins
	generate  int // tokens of a sequence after decoding
	slots     int // samples that advance together; 0: all of a step
	unshared  bool
}

// shape is the shape of a model and its batch, in the terms of the PyTorch peer,
// torch_llama.py. The head is tied.
type shape struct {
	D      int `json:"d"`
	Layers int `json:"layers"`
	Heads  int `json:"heads"`
	KV     int `json:"kv"`
	FFN    int `json:"ffn"`
	Vocab  int `json:"vocab"`
	Seq    int `json:"seq"`   // tokens of a sequence
	Batch  int `json:"batch"` // sequences of a step
}

var presets = map[string]shape{
	"15m4k": {288, 6, 6, 6, 768, 4096, 256, 8},
	"15m":   {288, 6, 6, 6, 768, 32000, 256, 8},
	"135m":  {576, 30, 9, 3, 1536, 49152, 256, 4},
}

// parse reads the flags. The preset fills the parts of the shape that they leave open.
func parse(args []string, steps int) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the error says what is wrong
	preset := flags.String("preset", "15m4k", "")
	for name, size := range s.sizes() {
		flags.IntVar(size, name, 0, "")
	}
	flags.TextVar(&s.precision, "precision", kernel.FP32, "")
	flags.IntVar(&s.threads, "threads", 2, "")
	flags.IntVar(&s.steps, "steps", steps, "")
	flags.IntVar(&s.warmup, "warmup", 3, "")
	flags.IntVar(&s.micro, "micro", 0, "")
	flags.IntVar(&s.prompt, "prompt", 16, "")
	flags.IntVar(&s.generate, "gen", 128, "")
	flags.IntVar(&s.slots, "slots", 0, "")
	flags.BoolVar(&s.unshared, "unshared", false, "")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("argument %q is no flag", flags.Arg(0))
	}
	given, ok := presets[*preset]
	if !ok {
		return s, fmt.Errorf("preset is %q, expected one of %v", *preset, slices.Sorted(maps.Keys(presets)))
	}
	for name, size := range given.sizes() {
		*s.sizes()[name] = cmp.Or(*s.sizes()[name], *size)
	}
	s.micro, s.slots = cmp.Or(s.micro, s.tokens()), cmp.Or(s.slots, s.Batch)
	return s, s.validate()
}

func (s *shape) sizes() map[string]*int {
	return map[string]*int{
		"d": &s.D, "layers": &s.Layers, "heads": &s.Heads, "kv": &s.KV,
		"ffn": &s.FFN, "vocab": &s.Vocab, "seq": &s.Seq, "batch": &s.Batch,
	}
}

func (s settings) validate() error {
	switch {
	case s.Seq < 1 || s.Batch < 1:
		return fmt.Errorf("seq is %d and batch %d, expected positive numbers", s.Seq, s.Batch)
	case s.steps < 1 || s.warmup < 0:
		return fmt.Errorf("steps is %d and warmup %d, expected at least 1 and 0", s.steps, s.warmup)
	case s.threads < 1:
		return fmt.Errorf("threads is %d, expected a positive number", s.threads)
	case s.prompt < 1 || s.generate < 2:
		return fmt.Errorf("prompt is %d and gen %d, expected at least 1 and 2", s.prompt, s.generate)
	}
	return s.config().Validate()
}

// tokens returns the number of tokens of a step.
func (s shape) tokens() int { return s.Batch * s.Seq }

func (s settings) config() model.Config {
	return model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu",
		VocabSize: s.Vocab, HiddenSize: s.D, IntermediateSize: s.FFN, Layers: s.Layers,
		Heads: s.Heads, KVHeads: s.KV, HeadDim: s.D / max(s.Heads, 1), TiedHead: true,
		MaxPositions: max(s.Seq, s.prompt+s.generate), RopeTheta: 10000, NormEps: 1e-5, InitRange: 0.02,
	}
}

// params returns random weights, with gradients for training.
func (s settings) params(trained bool) *model.Params {
	p := model.NewParams(s.config(), trained)
	p.Precision = s.precision
	p.Init(1)
	return p
}
