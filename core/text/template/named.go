package template

import (
	"embed"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/text/jinja"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

//go:embed templates/*.jinja
var sources embed.FS

// Names lists the built-in templates. In this order they render like the templates of
// Meta-Llama-3-8B-Instruct, Llama-3.1-8B-Instruct without tools, transformers' default (Qwen's
// without its system message), zephyr-7b-beta, gemma-7b-it, Mixtral-8x7B-Instruct-v0.1 and
// Phi-3-mini.
var Names = []string{"llama3", "llama3.1", "chatml", "zephyr", "gemma", "mistral", "phi"}

// stopNames holds, for each template whose turns do not end with the vocabulary's end of text,
// the token at which other programs should stop.
var stopNames = map[string]string{"llama3": tokenizer.NameEndOfTurn, "llama3.1": tokenizer.NameEndOfTurn, "chatml": "<|im_end|>"}

func names() string { return strings.Join(Names, ", ") }

// Named returns the built-in template of that name.
func Named(name string) (tokenizer.Template, error) {
	if name == "llama3" {
		return tokenizer.Template{Source: tokenizer.Llama3Template, Stop: stopNames[name]}, nil
	}
	source, err := sources.ReadFile("templates/" + name + ".jinja")
	if err != nil {
		return tokenizer.Template{}, fmt.Errorf("there is no chat template %q: expected one of %s", name, names())
	}
	return tokenizer.Template{Source: string(source), Stop: stopNames[name]}, nil
}

// NameOf returns the name of the built-in template that renders like t, "none" if t is empty,
// or "other".
func NameOf(t tokenizer.Template) string {
	if t.Source == "" {
		return "none"
	}
	written := sample(t)
	for _, name := range Names {
		named, err := Named(name)
		if err == nil && written != nil && *written == *sample(named) {
			return name
		}
	}
	return "other"
}

// sample returns the renderings of a few chats and whether each succeeded, or nil if the
// template does not parse.
func sample(t tokenizer.Template) *string {
	template, err := jinja.Parse(t.Source)
	if err != nil {
		return nil
	}
	var all strings.Builder
	f := Format{template: template, options: options{date: DefaultDate}, values: map[string]jinja.Value{
		"bos_token": jinja.NewText("<bos>", ofTemplate), "eos_token": jinja.NewText("<eos>", ofTemplate),
	}}
	say := func(role string) chat.Message { return chat.Message{Role: role, Content: " " + role + "'s words\n"} }
	for _, roles := range [][]string{{"user"}, {"system", "user"}, {"user", chat.Assistant, "user"}, {"system", "user", chat.Assistant}} {
		var messages []chat.Message
		for _, role := range roles {
			messages = append(messages, say(role))
		}
		c, err := valuesOf(messages)
		if err != nil {
			return nil
		}
		text, err := f.render(c, roles[len(roles)-1] == "user")
		fmt.Fprintf(&all, "%q %t\n", text.String(), err == nil)
	}
	written := all.String()
	return &written
}
