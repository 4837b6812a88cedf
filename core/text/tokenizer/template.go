package tokenizer

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
