package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/token"
)

// config holds the fields of tokenizer_config.json that herd uses. Save writes the other fields
// as they were.
type config struct {
	BOS          nameJSON             `json:"bos_token"`
	EOS          nameJSON             `json:"eos_token"`
	Class        string               `json:"tokenizer_class"`
	AddBOS       *bool                `json:"add_bos_token"`
	MaxLength    *float64             `json:"model_max_length"` // up to 1e30
	ChatTemplate templateJSON         `json:"chat_template"`
	AddedTokens  map[string]addedJSON `json:"added_tokens_decoder"` // by id

	template Template
	carried  map[string]json.RawMessage // all fields, for Save
	missing  bool                       // the file does not exist
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
	if err := cmp.Or(c.addSpecial(filepath.Join(dir, specialFile)), c.addLegacy(filepath.Join(dir, addedFile)), c.addTemplates(dir)); err != nil {
		return nil, err
	}
	return c, nil
}

// parseConfig parses tokenizer_config.json. An empty text gives an empty config.
func parseConfig(text []byte) (*config, error) {
	c := &config{missing: len(text) == 0}
	if len(text) > 0 {
		if err := json.Unmarshal(text, c); err != nil {
			return nil, located(text, err)
		}
		if err := json.Unmarshal(text, &c.carried); err != nil {
			return nil, located(text, err)
		}
	}
	c.template.Source = string(c.ChatTemplate)
	return c, nil
}

// addSpecial takes from special_tokens_map.json what tokenizer_config.json leaves out, as
// transformers does: some models name their special tokens only there.
func (c *config) addSpecial(path string) error {
	text, err := readOptional(path)
	if err != nil || text == nil {
		return err
	}
	var special struct {
		BOS nameJSON `json:"bos_token"`
		EOS nameJSON `json:"eos_token"`
	}
	var all map[string]json.RawMessage
	if err := cmp.Or(json.Unmarshal(text, &special), json.Unmarshal(text, &all)); err != nil {
		return fmt.Errorf("%s: %w", path, located(text, err))
	}
	c.BOS, c.EOS = cmp.Or(c.BOS, special.BOS), cmp.Or(c.EOS, special.EOS)
	if c.carried == nil {
		c.carried = map[string]json.RawMessage{}
	}
	for key, value := range all {
		if known := c.carried[key]; known == nil || string(known) == "null" {
			c.carried[key] = value
		}
	}
	return nil
}

// addLegacy takes tokens from added_tokens.json, which older models have in place of
// added_tokens_decoder. Those that the other files name as special tokens are special.
func (c *config) addLegacy(path string) error {
	text, err := readOptional(path)
	if err != nil || text == nil || c.AddedTokens != nil {
		return err
	}
	var ids map[string]token.ID
	if err := json.Unmarshal(text, &ids); err != nil {
		return fmt.Errorf("%s: %w", path, located(text, err))
	}
	special := c.specialNames()
	c.AddedTokens = make(map[string]addedJSON, len(ids))
	for name, id := range ids {
		c.AddedTokens[strconv.Itoa(int(id))] = addedJSON{Content: name, Special: special[name], Normalized: !special[name]}
	}
	return nil
}

// specialNames returns the tokens that tokenizer_config.json and special_tokens_map.json name.
func (c *config) specialNames() map[string]bool {
	names := map[string]bool{}
	for key, value := range c.carried {
		var name nameJSON
		var list []nameJSON
		if json.Unmarshal(value, &name) == nil {
			list = append(list, name)
		} else if json.Unmarshal(value, &list) != nil {
			continue
		}
		for _, name := range list {
			names[string(name)] = names[string(name)] || strings.HasSuffix(key, "_token") || strings.HasSuffix(key, "_special_tokens")
		}
	}
	delete(names, "")
	return names
}
