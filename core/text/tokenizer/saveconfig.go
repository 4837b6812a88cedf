package tokenizer

import (
	"maps"
	"slices"
)

// own lists the fields that Save decides by itself.
var own = []string{"tokenizer_class", "tokenizer_file", "name_or_path", "auto_map", "added_tokens_decoder", "clean_up_tokenization_spaces", "model_input_names"}

// config returns tokenizer_config.json: the fields of the file that t was loaded from, and over
// them what herd decides.
func (t *Tokenizer) config() map[string]any {
	config := map[string]any{}
	for key, value := range t.carried {
		config[key] = value
	}
	maps.DeleteFunc(config, func(key string, _ any) bool { return slices.Contains(own, key) })
	config["tokenizer_class"] = "PreTrainedTokenizerFast"
	config["model_input_names"] = []string{"input_ids", "attention_mask"}
	config["clean_up_tokenization_spaces"] = false
	config["model_max_length"] = t.maxLength()
	delete(config, "bos_token")
	if t.bos != None {
		config["bos_token"] = t.vocab.BOS
	}
	if eos := t.StopName(); eos != "" {
		config["eos_token"] = eos
	}
	t.saveTemplate(config)
	return config
}

// saveTemplate sets chat_template. If the file named several templates and t has their default, or
// they have none, all of them stay.
func (t *Tokenizer) saveTemplate(config map[string]any) {
	if len(t.Templates()) > 0 {
		return
	}
	delete(config, "chat_template")
	if t.template.Source != "" {
		config["chat_template"] = t.template.Source
	}
}
