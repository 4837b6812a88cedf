package model

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// The two architectures that herd trains, as config.json names them.
const (
	CausalLM    = "LlamaForCausalLM"
	RewardModel = "LlamaForSequenceClassification"
)

// Config describes a Llama, in the fields of Hugging Face's config.json.
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
	// RopeScaling is nil or the llama3 scaling of long contexts.
	RopeScaling *RopeScaling `json:"rope_scaling"`

	HiddenAct     string  `json:"hidden_act"`
	AttentionBias bool    `json:"attention_bias"`
	MLPBias       bool    `json:"mlp_bias"`
	InitRange     float64 `json:"initializer_range"`
	Labels        int     `json:"num_labels,omitempty"` // of a reward model: 1

	BOS  *int   `json:"bos_token_id,omitempty"`
	EOS  IntSet `json:"eos_token_id,omitempty"`
	Pad  *int   `json:"pad_token_id,omitempty"`
	Type string `json:"torch_dtype,omitempty"`
}

// RopeScaling is `rope_scaling` of config.json; only rope_type llama3 is known.
type RopeScaling struct {
	Type             string  `json:"rope_type"`
	Factor           float64 `json:"factor"`
	LowFreqFactor    float64 `json:"low_freq_factor"`
	HighFreqFactor   float64 `json:"high_freq_factor"`
	OriginalMaxPos   int     `json:"original_max_position_embeddings"`
	DeprecatedMethod string  `json:"type,omitempty"` // the older name of rope_type
}

// IntSet is a JSON number or list of numbers: eos_token_id comes as either.
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
		return fmt.Errorf("want a token id or a list of them, got %s", b)
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

// LoadConfig reads and validates the configuration of the model in dir: config.json,
// or that of the base which an adapter in dir names.
func LoadConfig(dir string) (Config, error) {
	s, err := Locate(dir, "")
	if err != nil {
		return Config{}, err
	}
	return s.Config()
}

// loadConfig reads and validates dir/config.json.
func loadConfig(dir string) (Config, error) {
	path := filepath.Join(dir, "config.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("model: %w (a model directory holds config.json and model.safetensors)", err)
	}
	var c Config
	if err := json.Unmarshal(b, &c); err != nil {
		return Config{}, fmt.Errorf("model: %s: %w", path, err)
	}
	c.fillDefaults()
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("model: %s: %w", path, err)
	}
	return c, nil
}

// Save writes dir/config.json.
func (c Config) Save(dir string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("model: config: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), append(b, '\n'), 0o644)
}

// fillDefaults sets what config.json may leave out to what transformers assumes.
func (c *Config) fillDefaults() {
	if c.KVHeads == 0 {
		c.KVHeads = c.Heads
	}
	if c.HeadDim == 0 && c.Heads > 0 {
		c.HeadDim = c.HiddenSize / c.Heads
	}
	if c.RopeTheta == 0 {
		c.RopeTheta = 10000
	}
	if c.NormEps == 0 {
		c.NormEps = 1e-6
	}
	if c.InitRange == 0 {
		c.InitRange = 0.02
	}
	if c.HiddenAct == "" {
		c.HiddenAct = "silu"
	}
	if len(c.Architectures) == 0 {
		c.Architectures = []string{CausalLM}
	}
	if c.RopeScaling != nil && c.RopeScaling.Type == "" {
		c.RopeScaling.Type = c.RopeScaling.DeprecatedMethod
	}
}

// IsReward reports whether the model ends in a value head instead of a
// language-model head.
func (c Config) IsReward() bool { return slices.Contains(c.Architectures, RewardModel) }

// Reward returns the configuration of a reward model with c's body.
func (c Config) Reward() Config {
	c.Architectures, c.Labels = []string{RewardModel}, 1
	return c
}

// Validate reports the first field that makes no model, or one that herd does
// not implement.
func (c Config) Validate() error {
	if c.ModelType != "llama" {
		return fmt.Errorf("model_type is %q, expected \"llama\"", c.ModelType)
	}
	for _, positive := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.VocabSize}, {"hidden_size", c.HiddenSize}, {"intermediate_size", c.IntermediateSize},
		{"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads}, {"num_key_value_heads", c.KVHeads},
		{"head_dim", c.HeadDim}, {"max_position_embeddings", c.MaxPositions},
	} {
		if positive.value <= 0 || positive.value > 1<<27 {
			return fmt.Errorf("%s is %d, expected a positive number", positive.name, positive.value)
		}
	}
	switch {
	case len(c.Architectures) != 1 || (c.Architectures[0] != CausalLM && !c.IsReward()):
		return fmt.Errorf("architectures is %q, expected %s or %s", c.Architectures, CausalLM, RewardModel)
	case c.IsReward() && c.Labels > 1:
		return fmt.Errorf("num_labels is %d, a reward model has 1", c.Labels)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("num_attention_heads is %d, no multiple of num_key_value_heads %d", c.Heads, c.KVHeads)
	case c.HeadDim%2 != 0:
		return fmt.Errorf("head_dim is %d, expected an even number", c.HeadDim)
	case c.HiddenAct != "silu":
		return fmt.Errorf("hidden_act is %q, only \"silu\" is implemented", c.HiddenAct)
	case c.AttentionBias || c.MLPBias:
		return fmt.Errorf("attention_bias and mlp_bias are not implemented, both must be false")
	case c.NormEps < 0 || c.RopeTheta <= 0:
		return fmt.Errorf("rms_norm_eps %g and rope_theta %g must be positive", c.NormEps, c.RopeTheta)
	}
	return c.RopeScaling.validate()
}

func (s *RopeScaling) validate() error {
	if s == nil {
		return nil
	}
	if s.Type != "llama3" {
		return fmt.Errorf("rope_scaling.rope_type is %q, only \"llama3\" is implemented", s.Type)
	}
	if s.Factor <= 0 || s.LowFreqFactor <= 0 || s.HighFreqFactor <= s.LowFreqFactor || s.OriginalMaxPos <= 0 {
		return fmt.Errorf("rope_scaling is %+v, expected factor > 0, 0 < low_freq_factor < high_freq_factor and original_max_position_embeddings > 0", *s)
	}
	return nil
}
