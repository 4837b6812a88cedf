// Package pretrain trains a new model, or continues to train one, on plain documents
// (arXiv 2407.21783, section 3.4).
//
// Start with Defaults and Run.
package pretrain

import (
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/stage"
)

// Settings are the settings of the stage.
type Settings struct {
	Documents []string `yaml:"documents" path:"tables"` // tables of documents
	Out       string   `yaml:"out" path:"out"`          // directory to write the model to

	Model        string       `yaml:"model" path:"model"`                       // model directory to continue from; empty: train a new model
	Adapter      string       `yaml:"adapter" json:",omitempty" path:"adapter"` // adapter directory to continue from; empty: none, or the model's
	Tokenizer    string       `yaml:"tokenizer" path:"model"`                   // tokenizer directory for a new model; empty: train a tokenizer on the documents
	VocabSize    int          `yaml:"vocab_size"`                               // vocabulary size of the tokenizer that herd trains
	Architecture Architecture `yaml:"architecture"`                             // shape of a new model

	SequenceLength int `yaml:"sequence_length"` // length of training sequences in tokens; herd cuts longer documents into pieces

	train.Settings `yaml:",inline"`
}

// Architecture is the shape of a new model, with the names of config.json.
type Architecture struct {
	HiddenSize       int     `yaml:"hidden_size"`             // size of the hidden states
	IntermediateSize int     `yaml:"intermediate_size"`       // inner size of the feed-forward layers
	Layers           int     `yaml:"num_hidden_layers"`       // number of layers
	Heads            int     `yaml:"num_attention_heads"`     // number of query heads
	KVHeads          int     `yaml:"num_key_value_heads"`     // number of key and value heads; query heads share them if there are fewer
	MaxPositions     int     `yaml:"max_position_embeddings"` // maximum sequence length in tokens
	RopeTheta        float64 `yaml:"rope_theta"`              // base of the rotary embedding (arXiv 2104.09864)
	TiedHead         bool    `yaml:"tie_word_embeddings"`     // use the embedding matrix as output layer too
}

// Defaults returns the default settings.
func Defaults() Settings {
	s := Settings{
		VocabSize: 4096, SequenceLength: 512, Settings: train.Defaults(),
		Architecture: Architecture{
			HiddenSize: 256, IntermediateSize: 704, Layers: 6, Heads: 4, KVHeads: 2,
			MaxPositions: 2048, RopeTheta: 500000, TiedHead: true,
		},
	}
	s.LearningRate, s.WarmupSteps = 1e-3, 50
	return s
}

// Validate returns an error for the first invalid setting, by its YAML key.
func (s Settings) Validate() error {
	return stage.Check("pretrain",
		stage.NeedTables("documents", s.Documents), stage.NeedOut(s.Out),
		s.check(), s.Settings.Validate())
}

func (s Settings) check() error {
	switch {
	case s.SequenceLength < 2:
		return fmt.Errorf("sequence_length is %d, expected 2 or more", s.SequenceLength)
	case s.continues() && s.Tokenizer != "":
		return fmt.Errorf("model and tokenizer are both set: an existing model has its own tokenizer")
	case s.continues():
		return nil
	case !s.LoRA.IsZero():
		return fmt.Errorf("lora.r is %d, but model is not set: an adapter needs a model", s.LoRA.R)
	}
	if s.Tokenizer == "" && s.VocabSize < tokenizer.SmallestVocabulary {
		return fmt.Errorf("vocab_size is %d, expected %d or more: 256 bytes and the special tokens", s.VocabSize, tokenizer.SmallestVocabulary)
	}
	if err := s.Architecture.config(max(s.VocabSize, 1)).Validate(); err != nil {
		return fmt.Errorf("architecture: %w", err)
	}
	if s.SequenceLength > s.Architecture.MaxPositions {
		return fmt.Errorf("sequence_length is %d, architecture.max_position_embeddings only %d", s.SequenceLength, s.Architecture.MaxPositions)
	}
	return nil
}

// Manifest describes the run with these settings; its digest identifies the run.
func (s Settings) Manifest() (run.Manifest, error) {
	return stage.Manifest("pretrain", s, nil)
}

// continues reports whether training continues from a model.
func (s Settings) continues() bool { return s.Model != "" || s.Adapter != "" }

func (s Settings) start() stage.Start { return stage.Start{Model: s.Model, Adapter: s.Adapter} }

func (a Architecture) config(vocab int) model.Config {
	headDim := 0
	if a.Heads > 0 {
		headDim = a.HiddenSize / a.Heads
	}
	return model.Config{
		Architectures: []string{model.CausalLM}, ModelType: "llama", HiddenAct: "silu", Type: "float32",
		VocabSize: vocab, HiddenSize: a.HiddenSize, IntermediateSize: a.IntermediateSize, Layers: a.Layers,
		Heads: a.Heads, KVHeads: a.KVHeads, HeadDim: headDim, MaxPositions: a.MaxPositions,
		RopeTheta: a.RopeTheta, TiedHead: a.TiedHead, NormEps: 1e-5, InitRange: 0.02,
	}
}
