package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// Load reads the model in dir: config.json and its safetensors. If dir holds an adapter, Load
// reads the base that the adapter names and merges the adapter into it. With gradients the
// model can be trained.
func Load(dir string, gradients bool) (*Params, error) {
	s, err := Locate(dir, "")
	if err != nil {
		return nil, err
	}
	return s.Load(gradients)
}

// LoadReward loads a reward model: see Source.LoadReward.
func LoadReward(dir string, gradients bool) (*Params, error) {
	s, err := Locate(dir, "")
	if err != nil {
		return nil, err
	}
	return s.LoadReward(gradients)
}

// ReadFrom sets the weights to those in dir. It returns an error if dir lacks a tensor that p
// needs, except for the value head, which then stays as it is. It also returns an error for a
// tensor that p does not use, unless the configuration ignores it (Ignores).
func (p *Params) ReadFrom(dir string) error {
	f, err := openWeights(dir, p.Config)
	if err != nil {
		return err
	}
	defer f.Close()
	return p.read(f, read)
}

// openWeights opens the weights in dir and checks that they belong to a model of
// configuration c. It runs before memory for the weights is allocated, because a damaged
// config.json could ask for too much.
func openWeights(dir string, c Config) (*checkpoint.Model, error) {
	f, err := checkpoint.OpenModel(dir)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := c.checkTensors(f); err != nil {
		return nil, errors.Join(fmt.Errorf("model: %s: %w", dir, err), f.Close())
	}
	return f, nil
}

// read reads each tensor with the given function.
func (p *Params) read(f *checkpoint.Model, tensor func(checkpoint.Reader, *Param) error) error {
	for _, t := range p.Tensors {
		if _, ok := f.Info(t.Name); !ok { // the value head
			continue
		}
		if err := tensor(f, t); err != nil {
			return fmt.Errorf("model: %w", err)
		}
	}
	return nil
}

// TrainingBytes returns the memory that the weights of c take, with gradients also that of
// their gradients and AdamW's two moments.
func (c Config) TrainingBytes(gradients bool) int64 {
	copies := int64(1)
	if gradients {
		copies = 4
	}
	return copies * 4 * int64(c.ParamCount())
}

// Bytes returns the memory that the weights take, with gradients and AdamW's two moments for
// those that are trained.
func (p *Params) Bytes() int64 {
	if p.Adapter == nil {
		return p.Config.TrainingBytes(p.G != nil)
	}
	bytes := p.Config.frozenBytes(p.Adapter.LoRA.BaseDType)
	if p.Adapter.G != nil {
		bytes += 16 * int64(p.Adapter.Count())
	}
	return bytes
}

// checkTensors compares names and shapes with those that c requires.
func (c Config) checkTensors(f *checkpoint.Model) error {
	known := make(map[string]bool)
	for _, t := range c.Tensors() {
		known[t.Name] = true
		switch info, ok := f.Info(t.Name); {
		case !ok && t.Name == "score.weight":
			continue
		case !ok:
			return fmt.Errorf("tensor %s is missing", t.Name)
		case !slices.Equal(info.Shape, t.Shape):
			return fmt.Errorf("tensor %s has shape %v, config.json says %v", t.Name, info.Shape, t.Shape)
		}
	}
	for _, name := range f.Names() {
		if !known[name] && !c.Ignores(name) {
			return fmt.Errorf("tensor %q is not part of a model with this config.json", name)
		}
	}
	return nil
}

// Ignores reports whether the weights of c may contain a tensor that herd does not read: a
// head that is tied or unused, and tables of angles from older programs.
func (c Config) Ignores(name string) bool {
	return name == "lm_head.weight" && (c.TiedHead || c.IsReward()) || strings.HasSuffix(name, "rotary_emb.inv_freq")
}

func read(f checkpoint.Reader, t *Param) error { return readAs(f, t.Name, t, t.W) }

// readAs reads the named tensor, which must have the shape of t, into w.
func readAs(f checkpoint.Reader, name string, t *Param, w []float32) error {
	info, ok := f.Info(name)
	if !ok {
		return fmt.Errorf("tensor %s is missing", name)
	}
	if !slices.Equal(info.Shape, t.Shape) {
		return fmt.Errorf("tensor %s has shape %v, the configuration says %v", name, info.Shape, t.Shape)
	}
	return f.Read(name, w)
}

// dtypes are the element types of weights by their names in config.json.
var dtypes = map[string]string{"float32": checkpoint.F32, "float16": checkpoint.F16, "bfloat16": checkpoint.BF16}

// CheckDType returns an error if dtype is not float32, float16 or bfloat16.
func CheckDType(dtype string) error {
	if dtypes[dtype] == "" {
		return fmt.Errorf("dtype is %q, expected float32, float16 or bfloat16", dtype)
	}
	return nil
}

// Save writes config.json and the weights as float32 to dir, which must exist.
func (p *Params) Save(dir string) error { return p.SaveAs(dir, "float32") }

// SaveAs is Save with the weights rounded to dtype: float32, float16 or bfloat16. Weights
// that take more than checkpoint.ShardBytes go into several files.
func (p *Params) SaveAs(dir, dtype string) error {
	if err := CheckDType(dtype); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	c := p.Config
	c.Type = dtype
	if err := c.Save(dir); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	var tensors []checkpoint.Source
	for _, t := range p.Tensors {
		tensors = append(tensors, checkpoint.Tensor{Name: t.Name, Shape: t.Shape, Data: t.W}.As(dtypes[dtype]))
	}
	return checkpoint.WriteModel(dir, tensors, map[string]string{"format": "pt"}, checkpoint.ShardBytes)
}
