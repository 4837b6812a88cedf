// Package policy is a model that answers: in this process or on a server, with its
// tokenizer, its chat template and the tokens that end its answers.
//
// Use it wherever a model has to continue a text or answer a chat. Start with Open for a
// model directory, Of for a model in memory, or Remote for a server. Then Ask turns
// messages into a request, and Sampler answers requests.
//
// The package refuses what cannot work before it draws a token: a reward model, a
// tokenizer that does not belong to the model, a chat without a chat template
// (template.Choose has the rule), a prompt that leaves no room for an answer.
package policy

import (
	"errors"
	"fmt"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// Policy is a model that answers. Any number of goroutines may use it at once.
type Policy struct {
	name    string // of its directory, for errors; may be empty
	sampler sample.Sampler
	engine  *engine.Engine // nil if a server answers
	config  model.Config   // zero if a server answers

	tok      *tokenizer.Tokenizer // nil if only the server knows the tokens
	format   *template.Format     // nil if there is no template, for which
	formless error                // is the reason
	stop     []token.ID
}

// Sampler answers the policy's requests.
func (p *Policy) Sampler() sample.Sampler { return p.sampler }

// Engine returns the sampler in this process, or nil if a server answers.
func (p *Policy) Engine() *engine.Engine { return p.engine }

// Config returns the model's configuration. It is zero if a server answers.
func (p *Policy) Config() model.Config { return p.config }

// Tokenizer returns the tokenizer, or nil if only the server knows the tokens.
func (p *Policy) Tokenizer() *tokenizer.Tokenizer { return p.tok }

// TokenizerDigest returns the tokenizer's digest, or "" without a tokenizer.
func (p *Policy) TokenizerDigest() string {
	if p.tok == nil {
		return ""
	}
	return p.tok.Digest()
}

// Format returns how the model's chats are laid out, or why that is not known. Both are
// nil if the server lays out chats.
func (p *Policy) Format() (*template.Format, error) { return p.format, p.formless }

// Stop returns the tokens that end an answer: those that the tokenizer, the chat
// template and the model's configuration name.
func (p *Policy) Stop() []token.ID { return p.stop }

// Prompt returns the tokens that the model has to continue to answer messages. There
// are none if the server lays out chats.
func (p *Policy) Prompt(messages []chat.Message) ([]token.ID, error) {
	return p.PromptWithTools(messages, "")
}

// PromptWithTools is Prompt for a chat in which the assistant may call the functions in tools, a
// JSON list. A server that lays out chats gets no tools.
func (p *Policy) PromptWithTools(messages []chat.Message, tools chat.JSON) ([]token.ID, error) {
	switch {
	case p.formless != nil:
		return nil, p.named(p.formless)
	case p.format == nil && tools != "":
		return nil, p.named(errors.New("the chat has tools, which herd does not send to a server that lays out the chats: set model, so that herd lays them out"))
	case p.format == nil:
		return nil, nil
	}
	format, err := p.format.WithTools(tools)
	if err != nil {
		return nil, p.named(err)
	}
	ids, err := format.Prompt(messages)
	return ids, p.named(err)
}

// Check returns an error if the model cannot continue the prompt: if a token is outside
// its vocabulary, or with a *TooLong. A server checks for itself.
func (p *Policy) Check(prompt []token.ID) error {
	if p.engine == nil {
		return nil
	}
	for _, id := range prompt {
		if int(id) >= p.config.VocabSize {
			return p.named(fmt.Errorf("its tokenizer has token %d (%q), but its model has a vocabulary of %d: they do not match",
				id, p.tok.Token(id), p.config.VocabSize))
		}
	}
	if positions := p.config.Context(); len(prompt) >= positions {
		return &TooLong{len(prompt), positions}
	}
	return nil
}

// Request returns the request for one continuation of the prompt for each seed.
func (p *Policy) Request(prompt []token.ID, s sample.Settings, seeds ...uint64) sample.Request {
	return sample.Request{Prompt: prompt, Seeds: seeds, Stop: p.stop, Settings: s}
}

// Ask returns the request for one answer to the messages, with the tools of their chat, for each
// seed. It returns an error if the model cannot answer them, as Prompt and Check do.
func (p *Policy) Ask(messages []chat.Message, tools chat.JSON, s sample.Settings, seeds ...uint64) (sample.Request, error) {
	ids, err := p.PromptWithTools(messages, tools)
	if err == nil {
		err = p.Check(ids)
	}
	r := p.Request(ids, s, seeds...)
	r.Messages = messages
	return r, err
}

// named puts the model's directory in front of an error.
func (p *Policy) named(err error) error {
	if err == nil || p.name == "" {
		return err
	}
	return fmt.Errorf("%s: %w", p.name, err)
}

// TooLong reports a prompt that leaves the model no room for an answer.
type TooLong struct {
	Tokens    int // of the prompt
	Positions int // of the model
}

func (e *TooLong) Error() string {
	return fmt.Sprintf("the prompt has %d tokens, the model %d positions: nothing can follow", e.Tokens, e.Positions)
}
