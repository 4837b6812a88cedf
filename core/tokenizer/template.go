package tokenizer

import (
	"fmt"
	"strings"
)

// Template is a chat template: how the messages of a chat become text.
//
// Source is Jinja, as tokenizer_config.json has it. It is not interpreted:
// Chat lays out the templates that it knows by their text, and refuses others.
type Template struct{ Source string }

// Llama3Template is the chat template of Meta-Llama-3-8B-Instruct.
const Llama3Template = `{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>

'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>

' }}{% endif %}`

// known returns an error unless Chat can lay out the template. Newlines may be
// written as such or as \n: in Jinja both mean the same.
func (t Template) known() error {
	switch strings.TrimSpace(strings.ReplaceAll(t.Source, `\n`, "\n")) {
	case Llama3Template:
		return nil
	case "":
		return fmt.Errorf("the tokenizer has no chat template: set Llama 3's")
	}
	return fmt.Errorf("the tokenizer's chat template is not known: set Llama 3's in place of it if the model may be given that; it begins %.60q", t.Source)
}
