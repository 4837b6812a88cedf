package sample

import (
	"context"
	"errors"

	"github.com/herd-lm/herd/core/token"
)

// Stats counts what an engine does and did. This file stands in for the engine's
// own until it has them.
type Stats struct {
	Running, Waiting       int   // completions
	CacheBytes, CacheLimit int64 // of keys and values
	PromptTokens           uint64
	SharedTokens           uint64 // of PromptTokens, those found in the cache
	DrawnTokens, Preempted uint64
}

// Stats returns the engine's counts.
func (e *Engine) Stats() Stats { return Stats{} }

// Embed returns the mean of the final hidden states of ids.
func (e *Engine) Embed(context.Context, []token.ID) ([]float32, error) {
	return nil, errors.ErrUnsupported
}

// Longest returns how many tokens a prompt and its completion may have together.
func (e *Engine) Longest() int { return e.maxPos }
