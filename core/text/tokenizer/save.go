package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/token"
)

// Names of the files that Save writes and Load reads.
const (
	tokenizerFile = "tokenizer.json"
	modelFile     = "tokenizer.model"
	configFile    = "tokenizer_config.json"
	templateFile  = "chat_template.jinja"
	specialFile   = "special_tokens_map.json"
	addedFile     = "added_tokens.json"
	templatesDir  = "additional_chat_templates"
)

// Save writes tokenizer.json and tokenizer_config.json to the directory dir, which it creates if
// needed. Hugging Face's tokenizers and transformers can load them, and so can other programs that
// read these files.
func (t *Tokenizer) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	for _, f := range []struct {
		name    string
		content any
	}{{tokenizerFile, t.file()}, {configFile, t.config()}} {
		if err := writeJSON(filepath.Join(dir, f.name), f.content); err != nil {
			return fmt.Errorf("save tokenizer: %w", err)
		}
	}
	return nil
}

// writeJSON replaces the file at path completely or not at all.
func writeJSON(path string, content any) error {
	text, err := encodeJSON(content, "  ")
	if err != nil {
		return err
	}
	return disk.WriteBytes(path, text)
}

// encodeJSON is json.Marshal without escapes for <, > and &, which are frequent in special
// tokens.
func encodeJSON(content any, indent string) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(content)
	return text.Bytes(), err
}

func (t *Tokenizer) file() *file {
	f := &file{
		Version:       "1.0",
		AddedTokens:   []addedJSON{},
		PostProcessor: t.postProcessor(),
		Model: modelJSON{
			Type:         "BPE",
			IgnoreMerges: t.vocab.WholePieces,
			Vocab:        t.vocabJSON(),
			Merges:       make([]mergeJSON, len(t.vocab.Merges)),
		},
	}
	f.writePipeline(&t.vocab)
	for _, a := range t.vocab.Added {
		f.AddedTokens = append(f.AddedTokens, a.json())
	}
	slices.SortFunc(f.AddedTokens, func(a, b addedJSON) int { return int(a.ID - b.ID) })
	for i, m := range t.vocab.Merges {
		f.Model.Merges[i] = mergeJSON{t.vocab.spelt(m[0]), t.vocab.spelt(m[1])}
	}
	return f
}

// vocabJSON lists all tokens except the added ones at the end. Added tokens before the end must be
// in the list: Hugging Face's reader gives an added token outside it the next free id, whatever
// added_tokens says.
func (t *Tokenizer) vocabJSON() vocabJSON {
	var all vocabJSON
	end := 0
	for id, text := range t.vocab.Tokens {
		if t.added.has(token.ID(id)) {
			all = append(all, vocabEntry{text, int64(id)})
			continue
		}
		all = append(all, vocabEntry{t.vocab.spell(text), int64(id)})
		end = len(all)
	}
	return all[:end]
}

// preTokenizer returns the pattern in the form of tokenizer.json. ByteLevel itself splits by
// GPT-2's pattern.
func (p Pattern) preTokenizer() *component {
	lines := p.lines()
	last := len(lines) - 1
	if !slices.Contains(lines, Whole) && lines[last] != GPT2 {
		lines, last = append(lines, Whole), last+1
	}
	var steps []*component
	for _, line := range lines[:last] {
		steps = append(steps, line.split())
	}
	spell := byteLevel(lines[last] == GPT2)
	if steps == nil {
		return spell
	}
	return &component{Type: "Sequence", Pretokenizers: append(steps, spell)}
}

// split returns a line of a pattern in the form of tokenizer.json.
func (p Pattern) split() *component {
	switch p {
	case singleDigits, digitRuns:
		return &component{Type: "Digits", IndividualDigits: new(p == singleDigits)}
	}
	return &component{Type: "Split", Pattern: &patternJSON{Regex: string(p)}, Behavior: "Isolated", Invert: new(false)}
}

// postProcessor returns a post-processor that makes other programs begin a text with the
// beginning-of-text token, as they do for Llama 3.
func (t *Tokenizer) postProcessor() *component {
	begins := t.bos != None && !t.vocab.NoBOS
	switch {
	case !begins && t.vocab.SentencePiece != nil:
		return nil
	case !begins:
		return byteLevel(true)
	}
	bos := t.vocab.BOS
	sequence := func(name string, kind int) templatePart {
		return templatePart{Sequence: &partJSON{ID: name, TypeID: kind}}
	}
	begin := func(kind int) templatePart {
		return templatePart{SpecialToken: &partJSON{ID: bos, TypeID: kind}}
	}
	return &component{
		Type:   "TemplateProcessing",
		Single: []templatePart{begin(0), sequence("A", 0)},
		Pair:   []templatePart{begin(0), sequence("A", 0), begin(1), sequence("B", 1)},
		SpecialTokens: map[string]specialJSON{
			bos: {ID: bos, IDs: []int64{int64(t.bos)}, Tokens: []string{bos}},
		},
	}
}

// StopName returns the token at which other programs stop generating, or "". These programs and
// chat templates call it eos_token. It is the template's, else what tokenizer_config.json says. If
// neither names one, it is the end of a turn if the tokenizer has a chat template, as in
// Meta-Llama-3-8B-Instruct.
func (t *Tokenizer) StopName() string {
	for _, name := range []string{t.template.Stop, t.stop} {
		if _, ok := t.Special(name); ok {
			return name
		}
	}
	if t.EOT() != None && t.template.Source != "" {
		return NameEndOfTurn
	}
	return t.vocab.EOS
}

// writesStop reports whether the chat template writes an eos_token that does not follow from the
// rest of the tokenizer.
func (t *Tokenizer) writesStop() bool {
	usual := t.vocab.EOS
	if t.EOT() != None {
		usual = NameEndOfTurn
	}
	return strings.Contains(t.template.Source, "eos_token") && t.StopName() != usual
}

// maxLength returns model_max_length. 10^30 means no limit in transformers
// (VERY_LARGE_INTEGER).
func (t *Tokenizer) maxLength() json.Number {
	if t.vocab.MaxLength == 0 {
		return "1000000000000000019884624838656"
	}
	return json.Number(strconv.Itoa(t.vocab.MaxLength))
}
