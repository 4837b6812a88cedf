package sample

import "fmt"

// Settings say how tokens are drawn. They apply in the order of transformers'
// generate: penalties, temperature, top-k, top-p of what top-k kept, min-p.
type Settings struct {
	Temperature float64 `yaml:"temperature"`                  // 0: the likeliest token
	TopP        float64 `yaml:"top_p"`                        // nucleus (arXiv 1904.09751); 0 or 1: off
	TopK        int     `yaml:"top_k"`                        // 0: off
	MinP        float64 `yaml:"min_p" json:",omitempty"`      // least share of the likeliest token's probability (arXiv 2407.01082); 0: off
	Repetition  float64 `yaml:"repetition" json:",omitempty"` // penalty on tokens of prompt and answer (arXiv 1909.05858); 0 or 1: off

	// Presence and Frequency are taken from the logits of the answer's tokens, once
	// and for each time that they came, as in OpenAI's API; 0: off.
	Presence  float64 `yaml:"presence" json:",omitempty"`
	Frequency float64 `yaml:"frequency" json:",omitempty"`

	MaxTokens   int      `yaml:"max_tokens"`
	StopStrings []string `yaml:"stop" json:",omitempty"` // any of these ends an answer and is not part of it
}

// Validate reports the first setting that makes no sense, by its YAML name.
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
		return fmt.Errorf("repetition is %g, expected more than 0, 1 to change nothing", s.Repetition)
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
