package convert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// Model is an open model of any kind.
type Model struct {
	Name      string // from its file, else the name of the file or directory
	Kind      Kind
	Config    model.Config
	Tokenizer *tokenizer.Tokenizer // nil if the model has none
	Weights   Weights

	path string // that it was opened from; "" for a model in memory
}

// Weights are the tensors of a model, with the names and the layout of Hugging Face. Read fills
// dst, which has room for all elements, row by row.
type Weights interface {
	Tensors() []Tensor
	Read(name string, dst []float32) error
	Close() error
}

// Tensor describes a tensor.
type Tensor struct {
	Name  string
	Shape []int
	DType string // "F32", "BF16", "Q8_0", ...
}

// Kind says how a model is stored.
type Kind string

const (
	HuggingFace Kind = "Hugging Face directory"
	GGUF        Kind = "GGUF file"
	Llama2C     Kind = "llama2.c file"
)

// Open opens a model. It detects the kind from the content, not from the name.
func Open(path string) (*Model, error) {
	kind, err := KindOf(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	open := map[Kind]func(string) (*Model, error){HuggingFace: openHuggingFace, GGUF: openGGUF, Llama2C: openLlama2C}[kind]
	m, err := open(path)
	if err != nil {
		return nil, err
	}
	m.Kind, m.path = kind, path
	if m.Name == "" {
		m.Name = nameOf(path)
	}
	if err := m.check(); err != nil {
		return nil, errors.Join(fmt.Errorf("model: %s: %w", path, err), m.Weights.Close())
	}
	return m, nil
}

// nameOf names a model after its file or directory.
func nameOf(path string) string {
	path = filepath.Base(filepath.Clean(path))
	return strings.TrimSuffix(strings.TrimSuffix(path, ".gguf"), ".bin")
}

// KindOf detects the kind of a model from its first bytes. The older version of llama2.c has no
// mark, so kindOf compares the size of such a file with its header.
func KindOf(path string) (Kind, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return HuggingFace, nil
	}
	head, err := readHead(path, llama2cHeader)
	switch {
	case err != nil:
		return "", err
	case bytes.HasPrefix(head, []byte(gguf.Magic)):
		return GGUF, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return "", fmt.Errorf("%s: a PyTorch file: herd does not read these, because they can contain code; save the model as safetensors", path)
	}
	if _, err := parseLlama2C(head, info.Size()); err == nil {
		return Llama2C, nil
	}
	return "", fmt.Errorf("%s: neither a Hugging Face directory nor a GGUF or llama2.c file", path)
}

// readHead returns the first n bytes of a file, or all if it has fewer.
func readHead(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// check checks that the weights are exactly those of the configuration, and that the model has an
// embedding for every id of the tokenizer.
func (m *Model) check() error {
	tensors := m.Weights.Tensors()
	if m.Config.Layers > len(tensors) { // else listing the expected tensors could take any amount of memory
		return fmt.Errorf("%d layers, but only %d tensors", m.Config.Layers, len(tensors))
	}
	have := make(map[string]Tensor, len(tensors))
	for _, t := range tensors {
		have[t.Name] = t
	}
	for _, want := range m.Config.Tensors() {
		t, ok := have[want.Name]
		switch {
		case !ok:
			return fmt.Errorf("tensor %s is missing", want.Name)
		case !slices.Equal(t.Shape, want.Shape):
			return fmt.Errorf("tensor %s has shape %v, but the configuration implies %v", t.Name, t.Shape, want.Shape)
		}
		delete(have, want.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if tied := name == "lm_head.weight" && m.Config.TiedHead; !tied && !strings.HasSuffix(name, "rotary_emb.inv_freq") {
			return fmt.Errorf("tensor %s is not part of a model with this configuration", name)
		}
	}
	if t := m.Tokenizer; t != nil && t.VocabSize() > m.Config.VocabSize {
		return fmt.Errorf("its tokenizer has %d tokens, but the model's vocabulary only %d: they do not match", t.VocabSize(), m.Config.VocabSize)
	}
	return nil
}

// Params reads the weights into a model for evaluation or, with gradients, for training.
func (m *Model) Params(gradients bool) (*model.Params, error) {
	if err := memory.Check("the weights", m.Config.TrainingBytes(gradients)); err != nil {
		return nil, fmt.Errorf("model: %s: %w", m.Name, err)
	}
	p := model.NewParams(m.Config, gradients)
	for _, t := range p.Tensors {
		if err := m.Weights.Read(t.Name, t.W); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	return p, nil
}

// NoTokenizer reports that a model has no tokenizer, or none that herd can use, and that
// WithTokenizer has to give it one.
type NoTokenizer struct{ reason string }

func (e *NoTokenizer) Error() string { return e.reason }

// WithTokenizer gives the model another tokenizer. The model must have an embedding for each of
// its tokens.
func (m *Model) WithTokenizer(t *tokenizer.Tokenizer) error {
	m.Tokenizer = t
	return m.check()
}

// Close closes the model's files.
func (m *Model) Close() error { return m.Weights.Close() }
