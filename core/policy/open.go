package policy

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample/engine"
	"github.com/herd-lm/herd/core/sample/remote"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// Settings say which model answers.
type Settings struct {
	Model, Adapter string           // directories, as model.Locate takes them
	Template       string           // name of a chat template in place of the model's own; see template.Choose
	Precision      kernel.Precision // of the matrix products

	// Chats says that the policy will answer chats. A model without a chat template is
	// then refused at once, before there is memory for its weights. Otherwise Prompt
	// refuses it.
	Chats bool
}

// name is what errors call the model.
func (s Settings) name() string { return cmp.Or(s.Adapter, s.Model) }

// Open loads a model directory, or a model with an adapter, to answer in this process.
func Open(s Settings, o engine.Options) (*Policy, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return nil, err
	}
	p := &Policy{name: s.name()}
	if p.config, err = at.Config(); err != nil {
		return nil, err
	}
	if p.config.IsReward() {
		return nil, fmt.Errorf("%s is a reward model: it scores answers and cannot write them", p.name)
	}
	if err := p.read(at, s); err != nil {
		return nil, err
	}
	weights, err := at.Pack(s.Precision)
	if err != nil {
		return nil, p.named(err)
	}
	p.answerWith(weights, o)
	return p, nil
}

// Of is Open of a model in memory. The tokenizer has its chat template (template.Choose).
func Of(params *model.Params, tok *tokenizer.Tokenizer, o engine.Options) (*Policy, error) {
	if params.Config.IsReward() {
		return nil, fmt.Errorf("the model is a reward model: it scores answers and cannot write them")
	}
	p := &Policy{config: params.Config, tok: tok}
	p.format, p.formless = template.New(tok)
	weights, err := model.Pack(params)
	if err != nil {
		return nil, err
	}
	p.answerWith(weights, o)
	return p, nil
}

// Remote returns a policy that a server answers for. A model directory, which needs no
// weights, has the tokenizer and the chat template. Without one the server lays out the
// chats.
func Remote(s Settings, server remote.Settings) (*Policy, error) {
	p := &Policy{name: s.name()}
	if p.name == "" && s.Template != "" {
		return nil, fmt.Errorf("template is set, but no model: without a tokenizer the server lays out the chats, by its own template")
	}
	if p.name != "" {
		at, err := model.Locate(s.Model, s.Adapter)
		if err != nil {
			return nil, err
		}
		if err := p.read(at, s); err != nil {
			return nil, err
		}
		if p.format != nil {
			p.stop = p.format.Stop()
			if c, err := at.Config(); err == nil { // the directory need not have more than a tokenizer
				p.stop = c.StopIDs(p.stop...)
			}
		}
	}
	var err error
	p.sampler, err = remote.New(server, p.tok)
	return p, err
}

// read reads the tokenizer of a model with its chat template.
func (p *Policy) read(at model.Source, s Settings) (err error) {
	if p.tok, err = template.LoadOver(at.Model, at.Tokenizer(), s.Template); err != nil {
		return err
	}
	if p.format, p.formless = template.New(p.tok); s.Chats {
		return p.named(p.formless)
	}
	return nil
}

// answerWith makes an engine of the weights.
func (p *Policy) answerWith(weights *model.Packed, o engine.Options) {
	p.engine = engine.New(weights, p.tok, o)
	p.sampler = p.engine
	stop := slices.DeleteFunc([]token.ID{p.tok.EOT(), p.tok.EOS()}, func(id token.ID) bool { return id == tokenizer.None })
	if p.format != nil {
		stop = append(stop, p.format.Stop()...)
	}
	p.stop = p.config.StopIDs(stop...)
}
