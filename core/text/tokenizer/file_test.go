package tokenizer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/token"
)

func saved(t testing.TB, tok *Tokenizer) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tokenizer")
	if err := tok.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSaveLoad(t *testing.T) {
	gpt2, err := Train(slices.Values(corpusLines()), TrainSettings{VocabSize: 300, Pattern: GPT2, Special: []string{"<é &>"}, MaxLength: 1024})
	if err != nil {
		t.Fatal(err)
	}
	inside := bytesVocabulary("<s>", "ab").Vocabulary // an added token that is not at the end
	inside.Added = []Added{{ID: 256, Text: "<s>"}}
	inside.Merges = [][2]token.ID{{64, 65}}
	within, err := New(inside)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*Tokenizer{"llama 3": trained(t), "gpt-2": gpt2, "added inside": within}
	for i, p := range append(knownPatterns, `a+`, `b|\n`+"\n"+GPT2) {
		v := trained(t).vocab
		v.Pattern, v.Form = p, append(forms, "")[i%5]
		all[string(p)] = mustNew(t, v)
	}
	for name, tok := range all {
		got, err := Load(saved(t, tok))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Digest() != tok.Digest() {
			t.Errorf("%s: another digest", name)
		}
		if got.vocab.MaxLength != tok.vocab.MaxLength {
			t.Errorf("%s: length %d became %d", name, tok.vocab.MaxLength, got.vocab.MaxLength)
		}
		text := strings.Join(corpusLines(), "") + "<é &><s>" + NameEndOfTurn
		if !slices.Equal(got.EncodeWithSpecial(text), tok.EncodeWithSpecial(text)) {
			t.Errorf("%s: other ids", name)
		}
	}
}

func TestDigestSeesEveryPart(t *testing.T) {
	tok := trained(t)
	for name, change := range map[string]func(*Vocabulary){
		"pattern":      func(v *Vocabulary) { v.Pattern = GPT2 },
		"whole pieces": func(v *Vocabulary) { v.WholePieces = false },
		"merge order":  func(v *Vocabulary) { v.Merges[0], v.Merges[1] = v.Merges[1], v.Merges[0] },
		"tokens":       func(v *Vocabulary) { v.Tokens[0], v.Tokens[1] = v.Tokens[1], v.Tokens[0] },
		"special":      func(v *Vocabulary) { v.Added[0].Special = false },
		"form":         func(v *Vocabulary) { v.Form = "NFC" },
		"no bos":       func(v *Vocabulary) { v.NoBOS = true },
		"flags":        func(v *Vocabulary) { v.Added[0].LStrip = true },
		"kind":         func(v *Vocabulary) { v.SentencePiece = &SentencePiece{} },
		"eos":          func(v *Vocabulary) { v.EOS = NameEndOfTurn },
	} {
		v := tok.vocab
		v.Tokens, v.Merges, v.Added = slices.Clone(v.Tokens), slices.Clone(v.Merges), slices.Clone(v.Added)
		change(&v)
		other := &Tokenizer{vocab: v, template: tok.template}
		if other.Digest() == tok.Digest() {
			t.Errorf("%s does not show in the digest", name)
		}
	}
	if tok.WithTemplate(Template{Source: "x"}).Digest() == tok.Digest() {
		t.Error("the template does not show in the digest")
	}
	if trainedUncached(t, tok).WithTemplate(tok.template).Digest() != tok.Digest() {
		t.Error("the same tokenizer has another digest")
	}
}

// edited loads a saved tokenizer with one text in one of its files replaced.
func edited(t *testing.T, file, old, new string) (*Tokenizer, error) {
	t.Helper()
	dir := saved(t, trained(t))
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	return Load(dir)
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{`"version": "1.0"`, `"version": "2.0"`, `version is "2.0"`},
		{`"version": "1.0"`, `"version": 1`, "line 2: "},
		{`"version": "1.0",`, `"version": "1.0"`, "line 3: "},
		{`"version"`, `"verzion"`, `unknown field "verzion"`},
		{`"normalizer": null`, `"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}`, "normalizer Lowercase is not supported"},
		{`"normalizer": null`, `"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}`, "normalizer Replace is not supported with ByteLevel"},
		{`"decoder": {`, `"decoder": {"type": "Fuse"}, "truncation": {`, "decoder Fuse is not supported"},
		{`\\p{N}{1,3}`, `(\\p{N}{1,3}`, "pre_tokenizer[0]: pattern"},
		{`"type": "Split"`, `"type": "Punctuation"`, "Punctuation is not supported"},
		{`"behavior": "Isolated"`, `"behavior": 1`, `component "Split"`},
		{`"behavior": "Isolated"`, `"behavior": "Removed"`, "pre_tokenizer[0]: behavior Removed"},
		{`"invert": false`, `"invert": true`, "pre_tokenizer[0]: behavior Isolated, invert true"},
		{`"type": "Sequence"`, `"type": "Metaspace"`, "pre_tokenizer Metaspace: expected the replacement ▁"},
		{`"add_prefix_space": false`, `"add_prefix_space": true`, "add_prefix_space is not supported"},
		{`"type": "BPE"`, `"type": "Unigram"`, "model.type Unigram"},
		{`"dropout": null`, `"dropout": 0.1`, "model.dropout 0.1"},
		{`"end_of_word_suffix": null`, `"end_of_word_suffix": "</w>"`, "end_of_word_suffix"},
		{`"type": "TemplateProcessing"`, `"type": "BertProcessing"`, "post_processor BertProcessing"},
		{`"h e",`, `"h xyz",`, `model.merges[0]: "xyz" is not in model.vocab`},
		{`"h e",`, `"h",`, `model.merges: "h" is not two tokens`},
		{`"h e",`, `["h","e","l"],`, "is not two tokens"},
		{`"h e",`, `"h Q",`, `merge 0 makes "hQ"`},
		{`"!": 0,`, `"!": 1,`, `model.vocab["\""]: id 1 is taken`},
		{`"!": 0,`, `"!": 7777,`, `model.vocab["!"]: id 7777`},
		{`"!": 0,`, `"!": "0",`, `model.vocab["!"]`},
		{`"Ń": 255,`, `"日": 255,`, `character '日' represents no byte`},
		{`"id": 656`, `"id": 2000000000`, "id 2000000000 with only 661 tokens"},
		{`"id": 656`, `"id": 5`, `"<|begin_of_text|>" has id 5, but another token has that id`},
		{`"id": 656`, `"id": -1`, "id -1"},
		{`"id": 656`, `"id": 657`, "added_tokens[1]: \"<|end_of_text|>\" has id 657, but another token has that id"},
		{`"Ń": 255,`, `"": 255,`, "no token has id 255"},
		{`"content": "<|end_of_text|>"`, `"content": "<|begin_of_text|>"`, "empty or a duplicate"},
	} {
		_, err := edited(t, tokenizerFile, c.old, c.new)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), tokenizerFile) {
			t.Errorf("%s for %s: got error %v, want %q and the file", c.new, c.old, err, c.want)
		}
	}
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), tokenizerFile) || !strings.Contains(err.Error(), modelFile) {
		t.Errorf("no file: got error %v", err)
	}
	if _, err := edited(t, configFile, `"bos_token": "<|begin_of_text|>"`, `"bos_token": "<s>"`); err == nil {
		t.Error("accepted a beginning of text that is no token")
	}
	for _, wrong := range []string{`"chat_template": 7, "bos_token":`, `"eos_token": [], "bos_token":`} {
		if _, err := edited(t, configFile, `"bos_token":`, wrong); err == nil || !strings.Contains(err.Error(), "expected a string or") {
			t.Errorf("%s: got error %v", wrong, err)
		}
	}
	if _, err := edited(t, configFile, `"bos_token":`, `"bos_token"`); err == nil || !strings.Contains(err.Error(), configFile+": line 2") {
		t.Errorf("broken config: got error %v", err)
	}
}

func TestLoadAccepts(t *testing.T) {
	want := trained(t).Digest()
	for _, c := range []struct{ file, old, new string }{
		{tokenizerFile, `"h e",`, `["h", "e"],`},
		{tokenizerFile, `"post_processor": {`, `"post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}]}]}, "padding": {`},
		{tokenizerFile, `"truncation": null`, `"truncation": {"max_length": 512, "strategy": "LongestFirst"}`},
		{configFile, `"bos_token": "<|begin_of_text|>"`, `"bos_token": {"content": "<|begin_of_text|>", "lstrip": false}`},
		{configFile, `"bos_token": "<|begin_of_text|>"`, `"bos_token": null`},
		{configFile, `"eos_token": "<|eot_id|>"`, `"eos_token": "<|end_of_text|>"`},
		{configFile, `"tokenizer_class"`, `"added_tokens_decoder": {"0": {}}, "tokenizer_class"`},
	} {
		tok, err := edited(t, c.file, c.old, c.new)
		if err != nil {
			t.Errorf("%s: %v", c.new, err)
		} else if tok.Digest() != want {
			t.Errorf("%s: another tokenizer", c.new)
		}
	}
}

// The post-processor says whether texts begin with BOS, unless tokenizer_config.json says
// otherwise.
func TestLoadBeginning(t *testing.T) {
	for _, c := range []struct {
		file, old, new string
		want           bool
	}{
		{tokenizerFile, `"version"`, `"version"`, true},
		{tokenizerFile, `"post_processor": {`, `"post_processor": {"type": "ByteLevel"}, "padding": {`, false},
		{tokenizerFile, `"post_processor": {`, `"post_processor": null, "padding": {`, false},
		{configFile, `"bos_token"`, `"add_bos_token": false, "bos_token"`, false},
		{configFile, `"bos_token"`, `"add_bos_token": true, "bos_token"`, true},
	} {
		tok, err := edited(t, c.file, c.old, c.new)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(saved(t, tok))
		if err != nil {
			t.Fatal(err)
		}
		for _, tok := range []*Tokenizer{tok, again} {
			if got := len(tok.Prompt("a")) == 2; got != c.want || tok.BOS() == None {
				t.Errorf("%s: begins with BOS: %v", c.new, got)
			}
		}
	}
}

func TestLoadTemplate(t *testing.T) {
	tok := trained(t)
	source, _ := json.Marshal(Llama3Template)
	list := `[{"name": "tools", "template": "x"}, {"name": "default", "template": ` + string(source) + `}]`
	for _, c := range []struct {
		field, jinja, want string
	}{
		{field: string(source), want: Llama3Template},
		{field: list, want: Llama3Template},
		{field: `null`, want: ""},
		{field: `"old"`, jinja: "new", want: "new"},
	} {
		dir := saved(t, tok)
		if err := os.WriteFile(filepath.Join(dir, configFile), []byte(`{"chat_template": `+c.field+`}`), 0o666); err != nil {
			t.Fatal(err)
		}
		if c.jinja != "" {
			if err := os.WriteFile(filepath.Join(dir, templateFile), []byte(c.jinja), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got.Template().Source != c.want {
			t.Errorf("%s: template %q", c.field, got.Template().Source)
		}
	}
}

// For any files, the result is a working tokenizer or an error.
func FuzzLoad(f *testing.F) {
	small, err := New(bytesVocabulary("ab").withSpecial([]string{NameBeginOfText}))
	if err != nil {
		f.Fatal(err)
	}
	tokenizer, _ := encodeJSON(small.file(), "")
	config, _ := encodeJSON(trained(f).config(), "")
	f.Add(tokenizer, config)
	pieces, _ := encodeJSON(fromPieces(f, smallPieces()).file(), "")
	f.Add(pieces, []byte(`{"add_bos_token":false}`))
	f.Add([]byte(`{"model":{"vocab":{"a":0},"merges":["a a",["a","a"],null]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[null,{"type":"ByteLevel"}]}}`), []byte(`{"bos_token":{},"chat_template":[{}]}`))
	f.Add([]byte(`{"version":"1.0","added_tokens":[{"id":9,"content":""}],"post_processor":{"type":"Sequence","processors":[null]}}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, tokenizer, config []byte) {
		tok, err := parse(tokenizer, config)
		if err != nil {
			return
		}
		const text = "the herd\xff " + NameEndOfTurn
		if got := tok.Decode(tok.EncodeWithSpecial(text)); got != text && keepsBytes(tok) {
			t.Errorf("%q decodes to %q", text, got)
		}
		file, err1 := encodeJSON(tok.file(), "")
		settings, err2 := encodeJSON(tok.config(), "")
		again, err := parse(file, settings)
		if err := errors.Join(err1, err2, err); err != nil {
			t.Fatalf("what it saves does not load: %v", err)
		}
		if !slices.Equal(again.vocab.Tokens, tok.vocab.Tokens) {
			t.Error("what it saves loads as other tokens")
		}
		if got, want := again.EncodeWithSpecial(text), tok.EncodeWithSpecial(text); !slices.Equal(got, want) {
			t.Errorf("what it saves encodes to %v, not %v", got, want)
		}
	})
}

// keepsBytes reports whether the tokens of any text keep all its bytes.
func keepsBytes(tok *Tokenizer) bool {
	strips := slices.ContainsFunc(tok.vocab.Added, func(a Added) bool { return a.LStrip || a.RStrip })
	return tok.vocab.SentencePiece == nil && tok.vocab.Form == "" && !strips && !slices.Contains(tok.base[:], None)
}

// parse is Load for the contents of two files.
func parse(tokenizer, config []byte) (*Tokenizer, error) {
	v, err := parseFile(tokenizer)
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(config)
	if err != nil {
		return nil, err
	}
	c.complete(&v)
	return New(v)
}
