package template

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
)

// DefaultDate is the date for templates that ask for one. It is the default of Llama 3.1's
// template. The current date would change the data of a run that is resumed the next day.
var DefaultDate = time.Date(2024, time.July, 26, 0, 0, 0, 0, time.UTC)

// Format is a chat template together with its tokenizer. It is safe for concurrent use.
type Format struct {
	tok      *tokenizer.Tokenizer
	template *jinja.Template
	values   map[string]jinja.Value // variables of every rendering
	tools    chat.JSON              // that the templates see, or ""
	options

	prompt   string            // the generation prompt: header of an assistant's turn
	reserved map[token.ID]bool // tokens that only the template may write, though they are not special
	stop     token.ID          // ends the assistant's turns, or None
	tail     []token.ID        // further tokens with which the template ends every turn of the assistant
	turnsErr error             // why the assistant's turns cannot be found, or nil
}

// options are what the user of a Format chooses. Another template of the same model keeps them.
type options struct {
	date         time.Time // for templates that ask for one
	allowDropped bool      // whether the template may leave out text of messages
	reasoning    Reasoning
}

// New returns the format for the tokenizer's own chat template. It returns ErrMissing if the
// tokenizer has none; Choose sets one.
func New(tok *tokenizer.Tokenizer) (*Format, error) {
	source := tok.Template().Source
	if source == "" {
		return nil, ErrMissing
	}
	template, err := jinja.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	f := &Format{tok: tok, template: template, options: options{date: DefaultDate}, stop: tokenizer.None}
	f.values = map[string]jinja.Value{"tools": nil, "documents": nil}
	for name, text := range map[string]string{"bos_token": tok.Token(tok.BOS()), "eos_token": tok.StopName()} {
		if text != "" {
			f.values[name] = jinja.NewText(text, ofTemplate)
		}
	}
	return f, f.probe()
}

// At returns a copy of f with another date for templates that ask for one.
func (f *Format) At(date time.Time) *Format {
	g := *f
	g.date = date
	return &g
}

// AllowDropped returns a copy of f that accepts chats of which the template leaves out text, such
// as the reasoning of earlier turns. A model learns what is left.
func (f *Format) AllowDropped() *Format {
	g := *f
	g.allowDropped = true
	return &g
}

// WithTools returns a copy of f whose templates see tools: a JSON list of functions, as
// transformers' apply_chat_template takes it. If the model has a template named tool_use, that one
// lays out the chats, as in transformers. Without tools WithTools returns f.
func (f *Format) WithTools(tools chat.JSON) (*Format, error) {
	if tools == "" {
		return f, nil
	}
	v, err := jinja.FromJSON([]byte(tools), fromTools)
	if err != nil {
		return nil, fmt.Errorf("chat: tools: %w", err)
	}
	g := *f
	if source := f.tok.ToolTemplate(); source != "" {
		other, err := New(f.tok.WithTemplate(tokenizer.Template{Source: source, Stop: f.tok.StopName()}))
		if err != nil {
			return nil, fmt.Errorf("chat: the template tool_use: %w", err)
		}
		g = *other
		g.options = f.options
	}
	g.values = maps.Clone(g.values)
	g.values["tools"], g.tools = v, tools
	return &g, nil
}

// Stop returns the tokens that end an answer: the end of the assistant's turns and the
// vocabulary's end of text.
func (f *Format) Stop() []token.ID {
	var stop []token.ID
	for _, id := range []token.ID{f.stop, f.tok.EOS()} {
		if id != tokenizer.None {
			stop = append(stop, id)
		}
	}
	return stop
}

// Ends returns the token that ends an answer by the tokenizer's own chat template. There is none
// without a tokenizer, or if herd cannot find how its template ends an answer. Whoever writes a
// model records it with model.Config.StopAt.
func Ends(tok *tokenizer.Tokenizer) []token.ID {
	if tok == nil {
		return nil
	}
	f, err := New(tok)
	if err != nil || f.stop == tokenizer.None {
		return nil
	}
	return []token.ID{f.stop}
}

// Prompt returns the tokens that a model continues to answer messages: the chat, and the
// header of an assistant's turn. A template may leave out words of the assistant, because many
// drop the reasoning of earlier turns, but none of others.
func (f *Format) Prompt(messages []chat.Message) ([]token.ID, error) {
	values, err := valuesOf(messages)
	if err != nil {
		return nil, err
	}
	text, err := f.render(values, true)
	if err != nil {
		return nil, err
	}
	if _, err := f.checkDropped(messages, text, len(messages)); err != nil {
		return nil, err
	}
	p, err := f.encode(text)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	return p.IDs, nil
}

// Chat lays out a whole conversation and marks the assistant's words in it. It returns a *Dropped
// error if the template leaves out anything that was said.
func (f *Format) Chat(messages []chat.Message) (Rendered, error) {
	r, _, err := f.layout(messages, 0)
	return r, err
}

// Continue lays out prompt followed by response. The first message of response must be the
// assistant's. Continue splits the tokens where the text of the response begins, so the header
// of its turn belongs to the prompt:
//
//	before.IDs == Prompt(prompt)
//	before ++ after has the text of Chat(prompt ++ response)
//
// Nothing in before is marked as the assistant's own: a model does not learn a prompt.
//
// If the template does not print the two as a model writes them, LearnReasoning lays out a response
// of one message by itself, as Turns does: before ++ after then has the text that the model writes.
// Without LearnReasoning the error is a *TurnByTurn.
func (f *Format) Continue(prompt, response []chat.Message) (before, after Rendered, err error) {
	if len(prompt) == 0 {
		return before, after, fmt.Errorf("chat: the prompt has no messages")
	}
	if len(response) == 0 || response[0].Role != chat.Assistant {
		return before, after, fmt.Errorf("chat: the response must begin with a message of the assistant")
	}
	all := append(append(make([]chat.Message, 0, len(prompt)+len(response)), prompt...), response...)
	whole, turns, err := f.layout(all, len(prompt))
	if err == nil {
		before, after = whole.split(turns[0].first)
		return before, after, nil
	}
	if len(response) > 1 {
		return before, after, err
	}
	before, after, failed := f.asWritten(prompt, response[0])
	switch {
	case failed != nil:
		return before, after, err
	case f.reasoning == RefuseReasoning:
		return Rendered{}, Rendered{}, &TurnByTurn{err}
	}
	return before, after, nil
}

func (f *Format) render(shown conversation, generationPrompt bool) (jinja.Text, error) {
	values := make(map[string]jinja.Value, len(f.values)+2)
	for name, v := range f.values {
		values[name] = v
	}
	values["messages"] = jinja.NewList(shown.messages...)
	values["add_generation_prompt"] = generationPrompt
	text, err := f.template.Render(jinja.Context{Values: values, Now: f.date, Input: shown.bytes})
	var raised *jinja.Raised
	switch {
	case errors.As(err, &raised):
		err = fmt.Errorf("chat: the template refuses these messages: %s", raised)
	case err != nil:
		err = fmt.Errorf("chat: %w", err)
	}
	return text, err
}
