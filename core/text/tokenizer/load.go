package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/token"
)

// maxFile is the maximum size of a file in bytes. Llama 3's tokenizer.json has 17 MB.
const maxFile = 256 << 20

// Load reads a tokenizer from the directory dir. It reads tokenizer.json or, if that does not
// exist, tokenizer.model (Llama 3's by tiktoken, or a BPE model of SentencePiece). From
// tokenizer_config.json, if it exists, Load reads bos_token, eos_token, model_max_length and
// chat_template (or chat_template.jinja), and tokens that only its added_tokens_decoder has.
// special_tokens_map.json gives special tokens that it leaves out.
//
// It reads byte-level BPE with any pattern, and SentencePiece's BPE. It refuses a file with
// settings under which herd would give other ids than Hugging Face's reader, such as dropout or
// an unknown normalizer. It ignores truncation and padding. It does not parse the chat
// template; package template does.
func Load(dir string) (*Tokenizer, error) {
	t, err := load(dir)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	return t, nil
}

func load(dir string) (*Tokenizer, error) {
	config, err := loadConfig(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, tokenizerFile)
	text, err := disk.ReadLimited(path, maxFile)
	parse := parseFile
	if errors.Is(err, fs.ErrNotExist) {
		missing := err
		path = filepath.Join(dir, modelFile)
		if text, err = disk.ReadLimited(path, maxFile); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w, nor is there %s", missing, modelFile)
		}
		parse = parseModel
	}
	if err != nil {
		return nil, err
	}
	v, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := config.complete(&v); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	t, err := New(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t.stop, t.carried = string(config.EOS), config.carried
	return t.WithTemplate(config.template), nil
}

// parseModel parses a tokenizer.model: of tiktoken, which is text, or of SentencePiece, which
// begins with the key of a piece.
func parseModel(data []byte) (Vocabulary, error) {
	if len(data) > 0 && data[0] == 1<<3|wireBytes {
		return parseSentencePiece(data)
	}
	return parseTiktoken(data)
}

// readOptional is disk.ReadLimited for a file that may be missing.
func readOptional(path string) ([]byte, error) {
	text, err := disk.ReadLimited(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// parseFile parses tokenizer.json into a vocabulary without BOS and EOS, and checks what New
// does not check.
func parseFile(text []byte) (v Vocabulary, err error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return v, located(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return v, fmt.Errorf("line %d: more text after the end of the object", lineOf(text, d.InputOffset()))
	}
	if err := cmp.Or(f.checkVersion(), f.Model.check(), f.PostProcessor.checkPost(), f.readPipeline(&v)); err != nil {
		return v, err
	}
	v.BOS = f.PostProcessor.begins()
	v.NoBOS = v.BOS == ""
	v.WholePieces = f.Model.IgnoreMerges
	if err := f.fill(&v); err != nil {
		return v, err
	}
	if unknown := f.Model.UnkToken; unknown != nil && v.SentencePiece == nil && v.lacksByte() {
		v.Unknown = *unknown
	}
	return v, nil
}

// located adds the line to an error of encoding/json that has an offset.
func located(text []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", lineOf(text, syntax.Offset), err)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d: %w", lineOf(text, kind.Offset), err)
	}
	return err
}

func lineOf(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n"))
}

// fill puts the tokens and merges of f into v.
func (f *file) fill(v *Vocabulary) error {
	spelt := make(map[string]token.ID, len(f.Model.Vocab))
	size := len(f.Model.Vocab)
	for _, a := range f.AddedTokens {
		v.Added = append(v.Added, a.added())
		size = max(size, int(a.ID)+1)
	}
	if limit := len(f.Model.Vocab) + len(f.AddedTokens); size > limit {
		return fmt.Errorf("added_tokens: id %d with only %d tokens", size-1, limit)
	}
	v.Tokens = make([]string, size)
	for _, entry := range f.Model.Vocab {
		if entry.id < 0 || entry.id >= int64(size) || v.Tokens[entry.id] != "" {
			return fmt.Errorf("model.vocab[%q]: id %d is taken, or not below %d", entry.text, entry.id, size)
		}
		spelt[entry.text] = token.ID(entry.id)
		v.Tokens[entry.id] = entry.text
	}
	if err := f.fillMerges(v, spelt); err != nil {
		return err
	}
	return v.rawTokens()
}

func (f *file) fillMerges(v *Vocabulary, spelt map[string]token.ID) error {
	v.Merges = make([][2]token.ID, len(f.Model.Merges))
	for i, m := range f.Model.Merges {
		for side, text := range m {
			id, ok := spelt[text]
			if !ok {
				return fmt.Errorf("model.merges[%d]: %q is not in model.vocab", i, text)
			}
			v.Merges[i][side] = id
		}
	}
	return nil
}

// rawTokens converts the tokens of byte-level BPE to raw bytes, except for added tokens, which
// files hold unchanged.
func (v *Vocabulary) rawTokens() (err error) {
	added := map[token.ID]bool{}
	for i, a := range v.Added {
		if a.ID < 0 || v.Tokens[a.ID] != "" && v.Tokens[a.ID] != a.Text {
			return fmt.Errorf("added_tokens[%d]: %q has id %d, but another token has that id", i, a.Text, a.ID)
		}
		v.Tokens[a.ID] = a.Text
		added[a.ID] = true
	}
	for id, text := range v.Tokens {
		if text == "" {
			return fmt.Errorf("no token has id %d", id)
		}
		if added[token.ID(id)] || v.SentencePiece != nil {
			continue
		}
		if v.Tokens[id], err = UnspellBytes(text); err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
	}
	return nil
}
