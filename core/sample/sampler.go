// Package sample draws seeded continuations of prompts.
package sample

import (
	"context"
	"fmt"

	"github.com/herd-lm/herd/core/token"
)

// Why a completion ended.
const (
	Stop   = "stop"   // a stop token came
	Length = "length" // MaxTokens or the model's last position was reached
)

// Settings say how tokens are drawn.
type Settings struct {
	Temperature float64 `yaml:"temperature"` // 0: the likeliest token
	TopP        float64 `yaml:"top_p"`       // nucleus; 0 or 1: off
	TopK        int     `yaml:"top_k"`       // 0: off
	MaxTokens   int     `yaml:"max_tokens"`
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
	case s.MaxTokens <= 0:
		return fmt.Errorf("max_tokens is %d, expected a positive number", s.MaxTokens)
	}
	return nil
}

// Request asks for continuations of one prompt, one for each seed.
type Request struct {
	Prompt []token.ID
	Seeds  []uint64
	Stop   []token.ID // any of these ends a completion and is not part of it
	// Stream, if not nil, is called with each token as soon as it is drawn, stop
	// tokens aside. The request must have one seed: the tokens of several would
	// come mixed. Calls for different requests may run at the same time.
	Stream func(token.ID)
	Settings
}

// Completion is one continuation.
type Completion struct {
	IDs     []token.ID
	LogProb float64 // of IDs, and the stop token if one came, at temperature 1
	Finish  string  // Stop or Length
	Seed    uint64
}

// Sampler answers requests: the local Engine, or a remote server.
type Sampler interface {
	// Generate calls done with the index of each request and its completions
	// in the order of its seeds, as requests finish. What a request gives depends
	// on nothing but the request.
	Generate(ctx context.Context, requests []Request, done func(i int, c []Completion) error) error
}
