package tokenizer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/herd-lm/herd/core/token"
)

// config holds the fields of tokenizer_config.json that herd uses. Save writes the other fields
// as they were.
type config struct {
	BOS          nameJSON             `json:"bos_token"`
	EOS          nameJSON             `json:"eos_token"`
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

// templateJSON is a Jinja template: a string, null, or a list with an entry named "default".
type templateJSON string

// UnmarshalJSON implements json.Unmarshaler.
func (t *templateJSON) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, (*string)(t)) == nil {
		return nil
	}
	list, err := namedTemplates(text)
	if err != nil {
		return err
	}
	for _, entry := range list {
		if entry.Name == "default" {
			*t = templateJSON(entry.Template)
		}
	}
	return nil
}

// namedTemplate is a chat template of a model that has several, such as "tool_use".
type namedTemplate struct {
	Name     string `json:"name"`
	Template string `json:"template"`
}

func namedTemplates(text []byte) (list []namedTemplate, err error) {
	if json.Unmarshal(text, &list) != nil {
		return nil, fmt.Errorf("chat_template is %.80s, expected a string or a list of names and templates", text)
	}
	return list, nil
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
	if err := c.addSpecial(filepath.Join(dir, specialFile)); err != nil {
		return nil, err
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

// complete sets what tokenizer.json does not contain. If the vocabulary has Llama 3's end of
// text, this token ends documents, whatever eos_token says, because chat models set eos_token
// to the end of turn. Without tokenizer_config.json the usual names count.
//
// v.BOS is the token that the post-processor puts before a text, if it does that.
func (c *config) complete(v *Vocabulary) error {
	if err := c.addTokens(v); err != nil {
		return err
	}
	var names []string
	for _, a := range v.Added {
		names = append(names, a.Text)
	}
	if v.BOS != "" && c.BOS != "" && v.BOS != string(c.BOS) {
		return fmt.Errorf("the post_processor of %s begins texts with %s, but bos_token is %s: the two must agree", tokenizerFile, v.BOS, c.BOS)
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
	return nil
}

// addTokens adds the tokens that only added_tokens_decoder has, in the order of their ids, as
// transformers does when it loads a tokenizer.
func (c *config) addTokens(v *Vocabulary) error {
	known := map[string]bool{}
	for _, a := range v.Added {
		known[a.Text] = true
	}
	var more []addedJSON
	for key, a := range c.AddedTokens {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || id < 0 {
			return fmt.Errorf("%s: added_tokens_decoder has the key %q, expected the id of a token", configFile, key)
		}
		if a.ID = token.ID(id); a.Content != "" && !known[a.Content] {
			more = append(more, a)
		}
	}
	slices.SortFunc(more, func(a, b addedJSON) int { return int(a.ID - b.ID) })
	for _, a := range more {
		switch next := token.ID(len(v.Tokens)); {
		case a.ID > next:
			return fmt.Errorf("%s: added_tokens_decoder: %q has id %d, but the vocabulary ends at %d: no token has the ids between", configFile, a.Content, a.ID, next-1)
		case a.ID == next:
			v.Tokens = append(v.Tokens, a.Content)
		case v.Tokens[a.ID] != a.Content:
			return fmt.Errorf("%s: added_tokens_decoder: %q has id %d, but %q has that id in the vocabulary", configFile, a.Content, a.ID, v.Tokens[a.ID])
		}
		v.Added = append(v.Added, a.added())
	}
	return nil
}

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

// saveTemplate sets chat_template. If the file named several templates and t has their default,
// all of them stay.
func (t *Tokenizer) saveTemplate(config map[string]any) {
	list, err := namedTemplates(t.carried["chat_template"])
	for _, entry := range list {
		if err == nil && entry.Name == "default" && entry.Template == t.template.Source {
			return
		}
	}
	delete(config, "chat_template")
	if t.template.Source != "" {
		config["chat_template"] = t.template.Source
	}
}
