package model

import (
	"encoding/json"
	"fmt"
)

// Config describes a Llama, or a model that differs little from one (see families), in the
// fields of Hugging Face's config.json.
type Config struct {
	Architectures []string `json:"architectures"`
	ModelType     string   `json:"model_type"`

	VocabSize        int  `json:"vocab_size"`
	HiddenSize       int  `json:"hidden_size"`
	IntermediateSize int  `json:"intermediate_size"`
	Layers           int  `json:"num_hidden_layers"`
	Heads            int  `json:"num_attention_heads"`
	KVHeads          int  `json:"num_key_value_heads"`
	HeadDim          int  `json:"head_dim"`
	MaxPositions     int  `json:"max_position_embeddings"`
	TiedHead         bool `json:"tie_word_embeddings"`

	NormEps   float64 `json:"rms_norm_eps"`
	RopeTheta float64 `json:"rope_theta"`
	// RopeScaling is the scaling for long contexts, or nil.
	RopeScaling *RopeScaling `json:"rope_scaling"`

	// Attention over the last tokens only. herd does not compute it: see Context.
	SlidingWindow    *int `json:"sliding_window,omitempty"`
	UseSlidingWindow bool `json:"use_sliding_window,omitempty"`

	HiddenAct     string  `json:"hidden_act"`
	AttentionBias bool    `json:"attention_bias"`
	MLPBias       bool    `json:"mlp_bias"`
	InitRange     float64 `json:"initializer_range"`
	Labels        int     `json:"num_labels,omitempty"` // of a reward model: 1

	BOS  *int   `json:"bos_token_id,omitempty"`
	EOS  IntSet `json:"eos_token_id,omitempty"`
	Pad  *int   `json:"pad_token_id,omitempty"`
	Type string `json:"torch_dtype,omitempty"`

	// Source is the config.json that c was read from, and Generation the
	// generation_config.json beside it, or nil.
	Source, Generation json.RawMessage `json:"-"`
}

// IntSet is a JSON number or a list of numbers: eos_token_id can be either.
type IntSet []int

func (s *IntSet) UnmarshalJSON(b []byte) error {
	var one *int
	if err := json.Unmarshal(b, &one); err == nil {
		*s = nil
		if one != nil {
			*s = IntSet{*one}
		}
		return nil
	}
	var many []int
	if err := json.Unmarshal(b, &many); err != nil {
		return fmt.Errorf("expected a token id or a list of token ids, got %s", b)
	}
	*s = many
	return nil
}

func (s IntSet) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return json.Marshal(s[0])
	}
	return json.Marshal([]int(s))
}

// Context returns the longest context, in tokens, for which herd computes the model:
// max_position_embeddings, or the sliding window if that is shorter. Up to that length the
// window hides nothing.
func (c Config) Context() int {
	if c.SlidingWindow == nil || c.ModelType == "llama" || c.ModelType == "qwen2" && !c.UseSlidingWindow {
		return c.MaxPositions
	}
	return min(c.MaxPositions, *c.SlidingWindow)
}

// CheckContext returns an error if a sequence of n tokens is longer than Context.
func (c Config) CheckContext(n int) error {
	switch limit := c.Context(); {
	case n <= limit:
		return nil
	case limit < c.MaxPositions:
		return fmt.Errorf("%d tokens of context, the model has a sliding window of %d, and attention beyond it is not implemented", n, limit)
	default:
		return fmt.Errorf("%d tokens of context, the model has %d positions", n, limit)
	}
}

// Validate returns an error that names the first field that is invalid or asks for something
// that herd does not implement.
func (c Config) Validate() error {
	f, known := families[c.ModelType]
	if !known {
		return fmt.Errorf("model_type is %q, expected one of %s", c.ModelType, modelTypes())
	}
	// The limits keep the sizes in a hostile file far from overflow.
	for _, field := range []struct {
		name        string
		value, most int
	}{
		{"vocab_size", c.VocabSize, 1 << 24}, {"hidden_size", c.HiddenSize, 1 << 20}, {"intermediate_size", c.IntermediateSize, 1 << 22},
		{"num_hidden_layers", c.Layers, 1 << 10}, {"num_attention_heads", c.Heads, 1 << 10}, {"num_key_value_heads", c.KVHeads, 1 << 10},
		{"head_dim", c.HeadDim, 1 << 16}, {"max_position_embeddings", c.MaxPositions, 1 << 27},
	} {
		if field.value <= 0 || field.value > field.most {
			return fmt.Errorf("%s is %d, expected a positive number of at most %d", field.name, field.value, field.most)
		}
	}
	switch {
	case len(c.Architectures) != 1 || c.Architectures[0] != f.causal && c.Architectures[0] != f.reward:
		return fmt.Errorf("architectures is %q, expected %s or %s", c.Architectures, f.causal, f.reward)
	case c.IsReward() && c.Labels > 1:
		return fmt.Errorf("num_labels is %d, a reward model has 1", c.Labels)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("num_attention_heads is %d, not a multiple of num_key_value_heads %d", c.Heads, c.KVHeads)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("head_dim is %d, expected an even number", c.HeadDim)
	case c.HiddenAct != "silu":
		return fmt.Errorf("hidden_act is %q, only \"silu\" is implemented", c.HiddenAct)
	case c.ModelType == "llama" && (c.AttentionBias || c.MLPBias): // the other families lack these fields
		return fmt.Errorf("attention_bias and mlp_bias are not implemented, both must be false: only the biases of Qwen2 are")
	case c.SlidingWindow != nil && *c.SlidingWindow <= 0:
		return fmt.Errorf("sliding_window is %d, expected a positive number or null", *c.SlidingWindow)
	case c.NormEps < 0 || c.RopeTheta <= 0:
		return fmt.Errorf("rms_norm_eps %g and rope_theta %g must be positive", c.NormEps, c.RopeTheta)
	}
	return c.RopeScaling.validate()
}
