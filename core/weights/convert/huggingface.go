package convert

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

func openHuggingFace(dir string) (*Model, error) {
	if err := model.Whole(dir); err != nil {
		return nil, err
	}
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

// safetensors are the weights of a Hugging Face directory.
type safetensors struct{ *checkpoint.Model }

func (s safetensors) Tensors() []Tensor {
	var all []Tensor
	for _, name := range s.Names() {
		info, _ := s.Info(name)
		all = append(all, Tensor{name, info.Shape, info.DType})
	}
	return all
}

// torchDTypes are the types that weights keep in a Hugging Face directory, with their names in
// config.json. Other types become float32.
var torchDTypes = map[string]string{checkpoint.F16: "float16", checkpoint.BF16: "bfloat16", checkpoint.F32: "float32"}

// writeHuggingFace writes a model into the directory dir, completely or not at all. It keeps one
// tensor in memory at a time.
func writeHuggingFace(dir string, m *Model, progress Progress) error {
	s := &stream{weights: m.Weights, progress: progress}
	sources := s.sources(m)
	config := m.Config
	config.Type = torchDTypes[sources[0].DType]
	if err := config.StopAt(template.Ends(m.Tokenizer)...); err != nil {
		return err
	}
	manifest, err := m.manifest()
	if err != nil {
		return err
	}
	return disk.WriteDir(dir, func(tmp string) error {
		if err := config.Save(tmp); err != nil {
			return err
		}
		if err := checkpoint.WriteModel(tmp, sources, map[string]string{"format": "pt"}, checkpoint.ShardBytes); err != nil {
			return err
		}
		if m.Tokenizer != nil {
			if err := m.Tokenizer.Save(tmp); err != nil {
				return err
			}
		}
		return run.WriteManifest(tmp, manifest)
	})
}

// manifest says what a directory was converted from. herd replaces only directories that have one.
func (m *Model) manifest() (run.Manifest, error) {
	inputs := run.Inputs{}
	if m.path != "" {
		inputs["model"] = []string{m.path}
	}
	return run.NewManifest("convert", nil, inputs)
}

// stream reads whole tensors, because some have their rows in another order, and returns them in
// parts.
type stream struct {
	weights   Weights
	progress  Progress
	done, all int
	name      string // of the tensor in held
	held      []float32
}

// sources returns the tensors of m. They keep the types of m's files if a Hugging Face directory
// allows these.
func (s *stream) sources(m *Model) []checkpoint.Source {
	types := map[string]string{}
	for _, t := range m.Weights.Tensors() {
		types[t.Name] = t.DType
	}
	var all []checkpoint.Source
	for _, t := range m.Config.Tensors() {
		dtype := types[t.Name]
		if torchDTypes[dtype] == "" {
			dtype = checkpoint.F32
		}
		read := func(dst []float32, from int) error { return s.part(t, dst, from) }
		all = append(all, checkpoint.Source{Name: t.Name, Shape: t.Shape, DType: dtype, Read: read})
	}
	s.all = len(all)
	return all
}

// part sets dst to the elements [from, from+len(dst)) of a tensor.
func (s *stream) part(t *model.Param, dst []float32, from int) error {
	if s.name != t.Name {
		if err := s.hold(t); err != nil {
			return err
		}
	}
	copy(dst, s.held[from:])
	return nil
}

func (s *stream) hold(t *model.Param) error {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	if cap(s.held) < n {
		s.held = make([]float32, n)
	}
	s.held, s.name = s.held[:n], t.Name
	if err := s.weights.Read(t.Name, s.held); err != nil {
		return err
	}
	s.done++
	return s.progress(s.done, s.all)
}
