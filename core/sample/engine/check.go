package engine

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// check returns an error if the engine cannot answer r.
func (e *Engine) check(r sample.Request) error {
	if err := r.Settings.Validate(); err != nil {
		return err
	}
	context := e.config.Context()
	switch {
	case e.config.IsReward():
		return fmt.Errorf("the model is a reward model: it has no language-model head to sample from")
	case len(r.Prompt) == 0:
		return fmt.Errorf("the prompt is empty")
	case len(r.Seeds) == 0:
		return fmt.Errorf("the request has no seeds: there is nothing to draw")
	case len(r.StopStrings) > 0 && !e.hasText:
		return fmt.Errorf("there are stop strings, but no tokenizer: the engine cannot find them in a text")
	case r.Constraint != nil && !e.hasText:
		return fmt.Errorf("there is a constraint on the text, but no tokenizer")
	case len(r.Prompt) >= context:
		return fmt.Errorf("the prompt has %d tokens, the model has %d positions: there is no room for an answer", len(r.Prompt), context)
	}
	outside := func(id token.ID) bool { return id < 0 || int(id) >= e.config.VocabSize }
	if i := slices.IndexFunc(r.Prompt, outside); i >= 0 {
		return fmt.Errorf("token id %d is outside the vocabulary of %d", r.Prompt[i], e.config.VocabSize)
	}
	return e.checkMemory(r)
}

// checkMemory returns an error if the memory for keys and values cannot hold r's prompt
// and one completion of the greatest length.
func (e *Engine) checkMemory(r sample.Request) error {
	tokens, s := len(r.Prompt)+e.room(r), e.scheduler
	if pagesFor(tokens) <= s.pages.limit {
		return nil
	}
	return fmt.Errorf("the prompt and its answer may take %d tokens, the memory for keys and values (%s) holds %d: lower max_tokens or allow more memory",
		tokens, memory.Bytes(int64(s.pages.limit)*s.decoder.PageBytes()), e.Longest())
}

// room returns the greatest number of tokens that a completion of r can have.
func (e *Engine) room(r sample.Request) int {
	return min(r.MaxTokens, e.config.Context()-len(r.Prompt))
}
