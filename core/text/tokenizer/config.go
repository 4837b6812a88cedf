package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
)

// config holds the fields of tokenizer_config.json that herd uses. The other fields repeat
// tokenizer.json or configure classes of transformers.
type config struct {
	BOS          nameJSON     `json:"bos_token"`
	EOS          nameJSON     `json:"eos_token"`
	AddBOS       *bool        `json:"add_bos_token"`
	MaxLength    *float64     `json:"model_max_length"` // up to 1e30
	ChatTemplate templateJSON `json:"chat_template"`

	template Template
	missing  bool // the file does not exist
}

// nameJSON is the text of a token: a string, null, or an object with "content".
type nameJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (n *nameJSON) UnmarshalJSON(text []byte) error {
	object := struct{ Content *string }{(*string)(n)}
	if json.Unmarshal(text, object.Content) != nil && json.Unmarshal(text, &object) != nil {
		return fmt.Errorf("bos_token or eos_token is %.80s, expected a string or an object with \"content\"", text)
	}
	return nil
}

// templateJSON is a Jinja template: a string, null, or a list with an entry named "default".
type templateJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (t *templateJSON) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, (*string)(t)) == nil {
		return nil
	}
	var list []struct{ Name, Template string }
	if json.Unmarshal(text, &list) != nil {
		return fmt.Errorf("chat_template is %.80s, expected a string or a list of names and templates", text)
	}
	for _, entry := range list {
		if entry.Name == "default" {
			*t = templateJSON(entry.Template)
		}
	}
	return nil
}

func loadConfig(dir string) (*config, error) {
	path := filepath.Join(dir, configFile)
	text, err := readOptional(path)
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	jinja, err := readOptional(filepath.Join(dir, templateFile))
	if jinja != nil {
		c.template.Source = string(jinja)
	}
	return c, err
}

// parseConfig parses tokenizer_config.json. An empty text gives an empty config.
func parseConfig(text []byte) (*config, error) {
	c := &config{missing: len(text) == 0}
	if len(text) > 0 {
		if err := json.Unmarshal(text, c); err != nil {
			return nil, located(text, err)
		}
	}
	c.template.Source = string(c.ChatTemplate)
	return c, nil
}

// complete sets what tokenizer.json does not contain. If the vocabulary has Llama 3's end of
// text, this token ends documents, whatever eos_token says, because chat models set eos_token
// to the end of turn. Without tokenizer_config.json the usual names count.
func (c *config) complete(v *Vocabulary) {
	var names []string
	for _, a := range v.Added {
		names = append(names, a.Text)
	}
	v.BOS = cmp.Or(string(c.BOS), v.BOS, firstOf(names, NameBeginOfText))
	v.EOS = cmp.Or(firstOf(names, NameEndOfText), string(c.EOS), v.EOS, firstOf(names, NameEndOfTurn))
	if c.missing {
		v.BOS = cmp.Or(v.BOS, firstOf(names, "<s>"))
		v.EOS = cmp.Or(v.EOS, firstOf(names, "</s>", "<|endoftext|>"))
	}
	if c.template.Source != "" {
		c.template.Stop = string(c.EOS)
	}
	if c.AddBOS != nil {
		v.NoBOS = !*c.AddBOS
	}
	if m := c.MaxLength; m != nil && *m > 0 && *m < 1<<31 {
		v.MaxLength = int(*m)
	}
}
