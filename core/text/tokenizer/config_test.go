package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

// rewrite saves a trained tokenizer with another tokenizer_config.json and other files, and
// loads it.
func rewrite(t *testing.T, files map[string]string) (*Tokenizer, string, error) {
	t.Helper()
	dir := saved(t, trained(t))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tok, err := Load(dir)
	return tok, dir, err
}

// TestTokensOfConfig: tokens that only added_tokens_decoder has are tokens, and Save keeps them.
func TestTokensOfConfig(t *testing.T) {
	size := token.ID(trained(t).VocabSize())
	entry := func(id token.ID, text string) string {
		return strings.ReplaceAll(`"`+itoa(id)+`": {"content": "TEXT", "special": true}`, "TEXT", text)
	}
	config := `{"eos_token": "<|done|>", "added_tokens_decoder": {` + entry(size+1, "<|done|>") + `, ` + entry(size, "<|ask|>") + `}}`
	tok, _, err := rewrite(t, map[string]string{configFile: config})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(saved(t, tok))
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range []*Tokenizer{tok, again} {
		for text, want := range map[string]token.ID{"<|ask|>": size, "<|done|>": size + 1} {
			if id, ok := tok.Special(text); !ok || id != want || !tok.IsSpecial(id) {
				t.Errorf("%s is %d, want %d", text, id, want)
			}
		}
		if got := tok.EncodeWithSpecial("<|ask|>"); len(got) != 1 || got[0] != size {
			t.Errorf("<|ask|> is encoded as %v", got)
		}
	}
	for _, bad := range []string{entry(size+1, "<|gap|>"), entry(3, "<|other|>"), `"x": {"content": "a"}`} {
		if _, _, err := rewrite(t, map[string]string{configFile: `{"added_tokens_decoder": {` + bad + `}}`}); err == nil || !strings.Contains(err.Error(), "added_tokens_decoder") {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func itoa(id token.ID) string {
	text, _ := json.Marshal(id)
	return string(text)
}

// TestSpecialTokensMap: what tokenizer_config.json leaves out, special_tokens_map.json says.
func TestSpecialTokensMap(t *testing.T) {
	const special = `{"eos_token": {"content": "<|eot_id|>", "lstrip": false}, "bos_token": "<|begin_of_text|>", "pad_token": "<|end_of_text|>", "unk_token": "x"}`
	tok, _, err := rewrite(t, map[string]string{configFile: `{"unk_token": "own"}`, specialFile: special})
	if err != nil {
		t.Fatal(err)
	}
	if tok.Token(tok.BOS()) != "<|begin_of_text|>" {
		t.Errorf("texts begin with %q", tok.Token(tok.BOS()))
	}
	written := readConfig(t, saved(t, tok))
	if written["pad_token"] != "<|end_of_text|>" || written["unk_token"] != "own" {
		t.Errorf("saved %v", written)
	}
}

func readConfig(t *testing.T, dir string) (fields map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

// TestConfigIsCarried: Save keeps the fields that herd does not use, and all named templates
// while their default counts.
func TestConfigIsCarried(t *testing.T) {
	const config = `{"pad_token": "<|end_of_text|>", "padding_side": "left", "add_bos_token": false, "extra_special_tokens": {"image": "x"},
		"tokenizer_class": "LlamaTokenizer", "eos_token": "<|eot_id|>",
		"chat_template": [{"name": "default", "template": "{{ 1 }}"}, {"name": "tool_use", "template": "{{ 2 }}"}]}`
	tok, _, err := rewrite(t, map[string]string{configFile: config})
	if err != nil {
		t.Fatal(err)
	}
	written := readConfig(t, saved(t, tok))
	for key, want := range map[string]any{"pad_token": "<|end_of_text|>", "padding_side": "left", "add_bos_token": false, "tokenizer_class": "PreTrainedTokenizerFast"} {
		if written[key] != want {
			t.Errorf("%s is %v, want %v", key, written[key], want)
		}
	}
	if list, ok := written["chat_template"].([]any); !ok || len(list) != 2 || written["extra_special_tokens"] == nil {
		t.Errorf("saved %v", written)
	}
	written = readConfig(t, saved(t, tok.WithTemplate(Template{Source: "{{ 3 }}"})))
	if written["chat_template"] != "{{ 3 }}" {
		t.Errorf("chat_template %v", written["chat_template"])
	}
}

// TestStopNameIsTheFiles: eos_token is what the file says, also if the vocabulary has <|eot_id|>.
func TestStopNameIsTheFiles(t *testing.T) {
	tok, _, err := rewrite(t, map[string]string{configFile: `{"eos_token": "<|end_of_text|>", "chat_template": "{{ eos_token }}"}`})
	if err != nil || tok.StopName() != "<|end_of_text|>" {
		t.Errorf("eos_token is %q, error %v", tok.StopName(), err)
	}
	for want, other := range map[string]Template{"<|end_of_text|>": {Source: "{{ eos_token }}"}, "<|eot_id|>": {Source: Llama3Template, Stop: "<|eot_id|>"}} {
		if got := tok.WithTemplate(other).StopName(); got != want {
			t.Errorf("with another template, eos_token is %q, want %q", got, want)
		}
	}
}

// TestBeginningOfPostProcessor: the post-processor says which token begins a text.
func TestBeginningOfPostProcessor(t *testing.T) {
	edit := func(config, id string) (*Tokenizer, error) {
		dir := saved(t, trained(t))
		path := filepath.Join(dir, tokenizerFile)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		post := `"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "` + id + `", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]}, "padding": {`
		changed := strings.Replace(string(text), `"post_processor": {`, post, 1)
		if err := os.WriteFile(path, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		return Load(dir)
	}
	tok, err := edit(`{}`, "<|end_of_text|>")
	if err != nil || tok.Token(tok.BOS()) != "<|end_of_text|>" || tok.Prompt("a")[0] != tok.BOS() {
		t.Errorf("begins with %q, error %v", tok.Token(tok.BOS()), err)
	}
	if _, err := edit(`{"bos_token": "<|begin_of_text|>"}`, "<|end_of_text|>"); err == nil || !strings.Contains(err.Error(), "the two must agree") {
		t.Errorf("two beginnings: error %v", err)
	}
}

// TestTemplatesOfFolder: chat_template.jinja and additional_chat_templates are the templates of a
// model, and Save keeps them all.
func TestTemplatesOfFolder(t *testing.T) {
	dir := saved(t, trained(t))
	if err := os.Mkdir(filepath.Join(dir, templatesDir), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		templateFile: "{{ 1 }}", templatesDir + "/tool_use.jinja": "{{ 2 }}", templatesDir + "/notes.txt": "none",
		configFile: `{"chat_template": "{{ 0 }}"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tok, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from what Save wrote
		if tok.Template().Source != "{{ 1 }}" {
			t.Errorf("the template is %q", tok.Template().Source)
		}
		dir := saved(t, tok)
		text, err := encodeJSON(readConfig(t, dir)["chat_template"], "")
		if want := `[{"name":"default","template":"{{ 1 }}"},{"name":"tool_use","template":"{{ 2 }}"}]`; err != nil || strings.TrimSpace(string(text)) != want {
			t.Errorf("saved %s, want %s", text, want)
		}
		if tok, err = Load(dir); err != nil {
			t.Fatal(err)
		}
	}
	tok, _, err = rewrite(t, map[string]string{configFile: `{"chat_template": [{"name": "rag", "template": "{{ 2 }}"}]}`})
	if err != nil || tok.Template().Source != "" {
		t.Fatalf("the template is %q, error %v", tok.Template().Source, err)
	}
	if list, ok := readConfig(t, saved(t, tok))["chat_template"].([]any); !ok || len(list) != 1 {
		t.Error("templates without a default are lost")
	}
}

// TestOrdinaryEnd: an end of text that the vocabulary has as an ordinary token is special.
func TestOrdinaryEnd(t *testing.T) {
	for file, text := range map[string]string{configFile: `{"eos_token": "</s>", "bos_token": {"content": "<s>"}}`, specialFile: `{"eos_token": "</s>", "bos_token": "<s>"}`} {
		files := map[string]string{configFile: `{}`}
		files[file] = text
		dir := saved(t, trained(t))
		vocabulary := trained(t).Vocabulary()
		vocabulary.Added, vocabulary.BOS, vocabulary.EOS = nil, "", ""
		vocabulary.Tokens = append(vocabulary.Tokens[:256:256], "<s>", "</s>")
		vocabulary.Merges = nil
		plain, err := New(vocabulary)
		if err != nil {
			t.Fatal(err)
		}
		if err := plain.Save(dir); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		tok, err := Load(dir)
		if err != nil || tok.Token(tok.EOS()) != "</s>" || tok.Token(tok.BOS()) != "<s>" || !tok.IsSpecial(tok.EOS()) {
			t.Errorf("%s: error %v", file, err)
		}
	}
}

// TestEndOfClass: without a name in a file, the class of the tokenizer says how a text ends; null
// says that it has no end.
func TestEndOfClass(t *testing.T) {
	v := trained(t).Vocabulary()
	v.Added, v.BOS, v.EOS, v.Merges = nil, "", "", nil
	v.Tokens = append(v.Tokens[:256:256], "<|endoftext|>", "</s>")
	v.Added = []Added{{ID: 256, Text: "<|endoftext|>", Special: true}, {ID: 257, Text: "</s>", Special: true}}
	plain, err := New(v)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"tokenizer_class": "GPT2Tokenizer"}`:                            "<|endoftext|>",
		`{"tokenizer_class": "Qwen2TokenizerFast", "bos_token": null}`:    "<|endoftext|>",
		`{"tokenizer_class": "LlamaTokenizerFast"}`:                       "</s>",
		`{"tokenizer_class": "GPT2Tokenizer", "eos_token": "</s>"}`:       "</s>",
		`{"tokenizer_class": "GPT2Tokenizer", "eos_token": null}`:         "",
		`{"tokenizer_class": "PreTrainedTokenizerFast"}`:                  "",
		`{"tokenizer_class": "GemmaTokenizer", "model_max_length": 1024}`: "",
	} {
		dir := saved(t, plain)
		if err := os.WriteFile(filepath.Join(dir, configFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		tok, err := Load(dir)
		if err != nil || tok.Token(tok.EOS()) != want {
			t.Errorf("%s: a text ends with %q, want %q; error %v", text, tok.Token(tok.EOS()), want, err)
		}
	}
}

// TestAddedTokensFile: added_tokens.json of older models has tokens too.
func TestAddedTokensFile(t *testing.T) {
	size := token.ID(trained(t).VocabSize())
	added := `{"<|ask|>": ` + itoa(size) + `, "plain": ` + itoa(size+1) + `}`
	tok, _, err := rewrite(t, map[string]string{configFile: `{}`, addedFile: added, specialFile: `{"additional_special_tokens": ["<|ask|>"]}`})
	if err != nil {
		t.Fatal(err)
	}
	for name, special := range map[string]bool{"<|ask|>": true, "plain": false} {
		if id, ok := tok.Special(name); !ok || id < size || tok.IsSpecial(id) != special {
			t.Errorf("%s is token %d, special %t", name, id, tok.IsSpecial(id))
		}
	}
	tok, _, err = rewrite(t, map[string]string{configFile: `{"added_tokens_decoder": {}}`, addedFile: added})
	if err != nil || token.ID(tok.VocabSize()) != size {
		t.Errorf("%d tokens, error %v: added_tokens_decoder counts, not the older file", tok.VocabSize(), err)
	}
}

// TestMissingByte: a vocabulary may lack a byte that ordinary text does not have, as StarCoder's
// does.
func TestMissingByte(t *testing.T) {
	v := Vocabulary{Pattern: Whole}
	for b := range 256 {
		if b != 0xf1 {
			v.Tokens = append(v.Tokens, string([]byte{byte(b)}))
		}
	}
	tok, err := New(v)
	if err != nil {
		t.Fatal(err)
	}
	const odd = "a\U00040000b" // F1 80 80 80
	if got := tok.Encode(odd); len(got) != 5 {
		t.Errorf("encoded as %v", got)
	}
	const want = "no token for byte 0xf1, which the text has at offset 1"
	all := func(int, int, token.ID) bool { return true }
	if _, err := tok.EncodePlaced(odd, all); err == nil || !strings.Contains(err.Error(), want) || tok.CheckText(odd) == nil || tok.CheckText("ab") != nil {
		t.Errorf("placed: error %v, want %q", err, want)
	}
	v.Added, v.Unknown = []Added{{ID: 255, Text: "<unk>", Special: true}}, "<unk>"
	v.Tokens = append(v.Tokens, "<unk>")
	if tok, err = New(v); err != nil {
		t.Fatal(err)
	}
	again, err := Load(saved(t, tok))
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range []*Tokenizer{tok, again} {
		if got := tok.Encode(odd); len(got) != 6 || got[1] != 255 || tok.CheckText(odd) != nil {
			t.Errorf("with an unknown token: %v", got)
		}
	}
	v.Tokens = v.Tokens[:100]
	if _, err := New(v); err == nil {
		t.Error("accepted a vocabulary that lacks many bytes")
	}
}
