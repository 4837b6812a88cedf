package convert

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/tokenizer"
)

func openHuggingFace(dir string) (*Model, error) {
	config, err := model.LoadConfig(dir)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizer.Load(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	weights, err := checkpoint.OpenModel(dir)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return &Model{Config: config, Tokenizer: tok, Weights: safetensors{weights}}, nil
}

// safetensors are weights as they lie in a Hugging Face directory.
type safetensors struct{ *checkpoint.Model }

func (s safetensors) Tensors() []Tensor {
	var all []Tensor
	for _, name := range s.Names() {
		info, _ := s.Info(name)
		all = append(all, Tensor{name, info.Shape, info.DType})
	}
	return all
}

// writeHuggingFace writes a model into the directory dir, which is replaced as a
// whole or not at all. Weights become float32.
func writeHuggingFace(dir string, m *Model, progress Progress) error {
	return checkpoint.WriteDir(dir, func(tmp string) error {
		p, err := m.Params(false)
		if err != nil {
			return err
		}
		if err := p.Save(tmp); err != nil {
			return err
		}
		if err := progress(len(p.Tensors), len(p.Tensors)); err != nil || m.Tokenizer == nil {
			return err
		}
		return m.Tokenizer.Save(tmp)
	})
}
