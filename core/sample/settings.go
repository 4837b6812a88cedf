package sample

import (
	"fmt"
	"math"
)

// Settings control how tokens are drawn. They apply in the order of transformers'
// generate: penalties, temperature, top-k, top-p of the tokens that top-k keeps, min-p.
type Settings struct {
	Temperature float64 `yaml:"temperature"`                  // number that divides the logits; 0: always the likeliest token
	TopP        float64 `yaml:"top_p"`                        // draw from the smallest set of likeliest tokens with this total probability (arXiv 1904.09751); 1, or not set: off
	TopK        int     `yaml:"top_k"`                        // draw from this many likeliest tokens; 0: off
	MinP        float64 `yaml:"min_p" json:",omitempty"`      // draw from tokens with at least this fraction of the likeliest token's probability (arXiv 2407.01082); 0: off
	Repetition  float64 `yaml:"repetition" json:",omitempty"` // penalty on tokens of the prompt and the answer (arXiv 1909.05858); 1, or not set: off

	Presence  float64 `yaml:"presence" json:",omitempty"`  // penalty subtracted once from the logit of each token that the answer contains, as in OpenAI's API; 0: off
	Frequency float64 `yaml:"frequency" json:",omitempty"` // penalty subtracted from a token's logit for each of its occurrences in the answer, as in OpenAI's API; 0: off

	MaxTokens   int      `yaml:"max_tokens"`             // maximum length of an answer, in tokens
	StopStrings []string `yaml:"stop" json:",omitempty"` // strings that end an answer; the answer does not contain them
}

// TopP returns the value of Settings.TopP for what a user asks for: 0 keeps only the likeliest
// token, as in OpenAI's API. In Settings, where 0 stands for a field that is not set, it is off.
func TopP(asked float64) float64 {
	if asked == 0 {
		return math.SmallestNonzeroFloat64
	}
	return asked
}

// Validate returns an error that names the first invalid setting by its YAML key.
func (s Settings) Validate() error {
	switch {
	case !(s.Temperature >= 0):
		return fmt.Errorf("temperature is %g, expected 0 or more", s.Temperature)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("top_p is %g, expected 0 to 1", s.TopP)
	case s.TopK < 0:
		return fmt.Errorf("top_k is %d, expected 0 or more", s.TopK)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return fmt.Errorf("min_p is %g, expected 0 to 1", s.MinP)
	case !(s.Repetition >= 0 && s.Repetition <= 1e6):
		return fmt.Errorf("repetition is %g, expected more than 0, where 1 is off", s.Repetition)
	case !(s.Presence >= -100 && s.Presence <= 100):
		return fmt.Errorf("presence is %g, expected -100 to 100", s.Presence)
	case !(s.Frequency >= -100 && s.Frequency <= 100):
		return fmt.Errorf("frequency is %g, expected -100 to 100", s.Frequency)
	case s.MaxTokens <= 0:
		return fmt.Errorf("max_tokens is %d, expected a positive number", s.MaxTokens)
	}
	for i, stop := range s.StopStrings {
		if stop == "" {
			return fmt.Errorf("stop[%d] is empty: it would end every answer before it begins", i)
		}
	}
	return nil
}
