package tokenizer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Template is a chat template, which converts the messages of a chat to text. Package
// core/text/template renders it.
type Template struct {
	Source string // Jinja source, as in tokenizer_config.json
	Stop   string // token at which other programs stop generating; "" uses the vocabulary's
}

// Llama3Template is the chat template of Meta-Llama-3-8B-Instruct.
const Llama3Template = `{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>

'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>

' }}{% endif %}`

// templateJSON is a Jinja template: a string, null, or a list with an entry named "default".
type templateJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (t *templateJSON) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, (*string)(t)) == nil {
		return nil
	}
	list, err := namedTemplates(text)
	*t = templateJSON(defaultOf(list))
	return err
}

// NamedTemplate is a chat template of a model that has several, such as "tool_use".
type NamedTemplate struct {
	Name     string `json:"name"`
	Template string `json:"template"`
}

func namedTemplates(text []byte) (list []NamedTemplate, err error) {
	if json.Unmarshal(text, &list) != nil {
		return nil, fmt.Errorf("chat_template is %.80s, expected a string or a list of names and templates", text)
	}
	return list, nil
}

// defaultOf returns the template named "default", or "".
func defaultOf(list []NamedTemplate) string {
	for _, entry := range list {
		if entry.Name == "default" {
			return entry.Template
		}
	}
	return ""
}

// addTemplates reads chat_template.jinja, which counts in place of the whole of chat_template, and
// the other templates in additional_chat_templates. Save writes them as a list in chat_template.
func (c *config) addTemplates(dir string) error {
	jinja, err := readOptional(filepath.Join(dir, templateFile))
	if err != nil {
		return err
	}
	more, err := readTemplates(filepath.Join(dir, templatesDir))
	if err != nil || jinja == nil && more == nil {
		return err
	}
	list, err := namedTemplates(c.carried["chat_template"])
	if err != nil || jinja != nil {
		list = nil
	}
	if jinja != nil {
		c.template.Source = string(jinja)
	}
	if c.template.Source != "" {
		list = append([]NamedTemplate{{"default", c.template.Source}}, without(list, "default")...)
	}
	for _, entry := range more {
		list = append(without(list, entry.Name), entry)
	}
	if c.carried == nil {
		c.carried = map[string]json.RawMessage{}
	}
	c.carried["chat_template"], err = encodeJSON(list, "")
	return err
}

// Templates returns the chat templates besides the default one, in the order of the file. There are
// none if t has another template than the file's default.
func (t *Tokenizer) Templates() []NamedTemplate {
	list, err := namedTemplates(t.carried["chat_template"])
	if err != nil || defaultOf(list) != t.template.Source {
		return nil
	}
	return without(list, "default")
}

// ToolTemplate returns the template that lays out chats with tools in place of the default one, as
// in transformers, or "".
func (t *Tokenizer) ToolTemplate() string {
	for _, entry := range t.Templates() {
		if entry.Name == "tool_use" {
			return entry.Template
		}
	}
	return ""
}

// WithTemplates returns a copy of t that has other templates besides its own.
func (t *Tokenizer) WithTemplates(list []NamedTemplate) *Tokenizer {
	if t.template.Source != "" {
		list = append([]NamedTemplate{{"default", t.template.Source}}, without(list, "default")...)
	}
	return t.withField("chat_template", list)
}

func without(list []NamedTemplate, name string) []NamedTemplate {
	return slices.DeleteFunc(slices.Clone(list), func(t NamedTemplate) bool { return t.Name == name })
}

// readTemplates returns the templates of a folder, by the names of their files.
func readTemplates(dir string) (list []NamedTemplate, err error) {
	files, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		name, is := strings.CutSuffix(f.Name(), ".jinja")
		if !is {
			continue
		}
		text, err := readOptional(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		list = append(list, NamedTemplate{name, string(text)})
	}
	return list, nil
}
