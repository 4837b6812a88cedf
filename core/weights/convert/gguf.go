package convert

import (
	"errors"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/weights/gguf"
)

// ropeFreqs is the tensor by which llama.cpp divides the rotary frequencies.
const ropeFreqs = "rope_freqs.weight"

func openGGUF(path string) (*Model, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	m, err := newGGUF(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("model: %s: %w", path, err), f.Close())
	}
	return m, nil
}

func newGGUF(f *gguf.File) (*Model, error) {
	config, err := configFromGGUF(f)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizerFromGGUF(f.Metadata)
	if err != nil {
		return nil, err
	}
	w := &ggufWeights{File: f, names: map[string]string{}}
	if interleaved(config.ModelType) {
		w.headDim = config.HeadDim
	}
	for _, info := range f.Infos() {
		if info.Name == ropeFreqs {
			continue
		}
		name, err := fromGGUF(info.Name)
		if err != nil {
			return nil, err
		}
		w.names[name] = info.Name
		w.tensors = append(w.tensors, Tensor{name, info.Shape, info.Type.String()})
	}
	name, err := gguf.Get[string](f.Metadata, keyName)
	if errors.Is(err, gguf.ErrAbsent) {
		err = nil
	}
	return &Model{Name: name, Config: config, Tokenizer: tok, Weights: w}, err
}

// openGGUFTokenizer reads the vocabulary of a GGUF file. The file needs no weights.
func openGGUFTokenizer(path string) (*tokenizer.Tokenizer, error) {
	f, err := gguf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %w", err)
	}
	defer f.Close()
	tok, err := tokenizerFromGGUF(f.Metadata)
	if err == nil && tok == nil {
		err = errors.New("it has no tokenizer")
	}
	if err != nil {
		return nil, fmt.Errorf("load tokenizer: %s: %w", path, err)
	}
	return tok, nil
}

// ggufWeights are the tensors of a GGUF file in Hugging Face's layout.
type ggufWeights struct {
	*gguf.File
	tensors []Tensor
	names   map[string]string // the file's names by Hugging Face's
	headDim int               // of interleaved q and k; 0 if they are not interleaved
}

func (w *ggufWeights) Tensors() []Tensor { return w.tensors }

func (w *ggufWeights) Read(name string, dst []float32) error {
	if err := w.File.Read(w.names[name], dst); err != nil {
		return err
	}
	if info, _ := w.Info(w.names[name]); w.headDim > 0 && isRotated(name) {
		deinterleave(dst, w.headDim, len(dst)/info.Shape[0])
	}
	return nil
}

// interleaved reports whether llama.cpp keeps q and k of this type of model in the original order
// of rows.
func interleaved(modelType string) bool { return modelType != "qwen2" }

// isRotated reports whether a tensor projects to queries or keys, which RoPE rotates.
func isRotated(name string) bool {
	return strings.Contains(name, ".self_attn.q_proj.") || strings.Contains(name, ".self_attn.k_proj.")
}
