package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
)

// config is what herd needs of tokenizer_config.json. Of its other fields some
// repeat tokenizer.json and some steer classes of transformers.
type config struct {
	BOS          nameJSON     `json:"bos_token"`
	EOS          nameJSON     `json:"eos_token"`
	MaxLength    *float64     `json:"model_max_length"` // up to 1e30
	ChatTemplate templateJSON `json:"chat_template"`

	template Template
}

// nameJSON is the text of a token: a string, null, or an object with "content".
type nameJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (n *nameJSON) UnmarshalJSON(text []byte) error {
	if text[0] != '{' {
		return json.Unmarshal(text, (*string)(n))
	}
	var object struct{ Content string }
	err := json.Unmarshal(text, &object)
	*n = nameJSON(object.Content)
	return err
}

// templateJSON is Jinja: a string, null, or a list of which the entry called
// "default" counts.
type templateJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (t *templateJSON) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		return json.Unmarshal(text, (*string)(t))
	}
	var list []struct{ Name, Template string }
	err := json.Unmarshal(text, &list)
	for _, entry := range list {
		if entry.Name == "default" {
			*t = templateJSON(entry.Template)
		}
	}
	return err
}

func loadConfig(dir string) (*config, error) {
	c := &config{}
	path := filepath.Join(dir, configFile)
	text, err := readOptional(path)
	if err != nil {
		return nil, err
	}
	if text != nil {
		if err := json.Unmarshal(text, c); err != nil {
			return nil, fmt.Errorf("%s: %w", path, located(text, err))
		}
	}
	jinja, err := readOptional(filepath.Join(dir, templateFile))
	if err != nil {
		return nil, err
	}
	c.template.Source = string(c.ChatTemplate)
	if jinja != nil {
		c.template.Source = string(jinja)
	}
	return c, nil
}

// complete sets what tokenizer.json does not say. Where the vocabulary has
// Llama 3's end of text, that ends documents, whatever eos_token says: chat
// models have the end of turn there.
func (c *config) complete(v *Vocabulary) {
	var names []string
	for _, a := range v.Added {
		names = append(names, a.Text)
	}
	v.BOS = cmp.Or(string(c.BOS), firstOf(names, NameBeginOfText))
	v.EOS = cmp.Or(firstOf(names, NameEndOfText), string(c.EOS), firstOf(names, NameEndOfTurn))
	if m := c.MaxLength; m != nil && *m > 0 && *m < 1<<31 {
		v.MaxLength = int(*m)
	}
}
