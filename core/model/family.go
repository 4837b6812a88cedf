package model

import (
	"maps"
	"slices"
	"strings"
)

// The two architectures that herd trains, by Llama's names in config.json.
const (
	CausalLM    = "LlamaForCausalLM"
	RewardModel = "LlamaForSequenceClassification"
)

// family is a model_type that equals a Llama except for the differences in its fields.
type family struct {
	causal, reward string // architectures
	qkvBias        bool   // queries, keys and values have biases

	// Defaults of transformers for what config.json leaves out. With kvHeads 0 there are as
	// many key and value heads as query heads.
	kvHeads, positions int
	window             int // sliding_window; 0 means none
}

var families = map[string]family{
	"llama":   {causal: CausalLM, reward: RewardModel, positions: 2048},
	"mistral": {causal: "MistralForCausalLM", reward: "MistralForSequenceClassification", kvHeads: 8, positions: 131072, window: 4096},
	"qwen2":   {causal: "Qwen2ForCausalLM", reward: "Qwen2ForSequenceClassification", qkvBias: true, kvHeads: 32, positions: 32768, window: 4096},
}

func (c Config) family() family { return families[c.ModelType] }

// QKVBias reports whether the projections to queries, keys and values have biases.
func (c Config) QKVBias() bool { return c.family().qkvBias }

// IsReward reports whether the model ends in a value head instead of a
// language-model head.
func (c Config) IsReward() bool {
	return slices.ContainsFunc(c.Architectures, func(name string) bool { return strings.HasSuffix(name, "ForSequenceClassification") })
}

// Reward returns the configuration of a reward model with c's body.
func (c Config) Reward() Config {
	c.Architectures, c.Labels, c.Generation = []string{c.family().reward}, 1, nil
	return c
}

// modelTypes lists the names of the families for an error message.
func modelTypes() string { return strings.Join(slices.Sorted(maps.Keys(families)), ", ") }
