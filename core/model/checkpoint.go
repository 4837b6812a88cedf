package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/checkpoint"
)

// Load reads the model in dir: config.json and its safetensors, or those of the base
// that an adapter in dir names, with the adapter merged into them. With gradients
// true it can be trained.
func Load(dir string, gradients bool) (*Params, error) {
	s, err := Locate(dir, "")
	if err != nil {
		return nil, err
	}
	return s.Load(gradients)
}

// LoadReward is Load of a reward model: see Source.LoadReward.
func LoadReward(dir string, gradients bool) (*Params, error) {
	s, err := Locate(dir, "")
	if err != nil {
		return nil, err
	}
	return s.LoadReward(gradients)
}

// ReadFrom sets the weights to those in dir. Tensors that p needs and dir lacks
// are an error, but for the value head, which then stays as it is; tensors that
// p has no use for are an error, but for the language-model head of a reward
// model or a tied one.
func (p *Params) ReadFrom(dir string) error { return p.readFrom(dir, read) }

// readFrom reads each tensor by the given function.
func (p *Params) readFrom(dir string, read func(checkpoint.Reader, *Param) error) error {
	f, err := checkpoint.OpenModel(dir)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	names := f.Names()
	if err := p.checkNames(names); err != nil {
		return fmt.Errorf("model: %s: %w", dir, err)
	}
	for _, t := range p.Tensors {
		if t == p.Score && !slices.Contains(names, t.Name) {
			continue
		}
		if err := read(f, t); err != nil {
			return fmt.Errorf("model: %s: %w", dir, err)
		}
	}
	return nil
}

// TrainingBytes returns what the weights of c take, and with gradients also
// their gradients and AdamW's two moments.
func (c Config) TrainingBytes(gradients bool) int64 {
	copies := int64(1)
	if gradients {
		copies = 4
	}
	return copies * 4 * int64(c.ParamCount())
}

// Bytes returns what the weights take, with gradients and AdamW's two moments for
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

func (p *Params) checkNames(names []string) error {
	known := make(map[string]bool)
	for _, t := range p.Tensors {
		known[t.Name] = true
	}
	for _, name := range names {
		if !known[name] && !p.Config.Ignores(name) {
			return fmt.Errorf("tensor %q belongs to no Llama of this config.json", name)
		}
	}
	return nil
}

// Ignores reports whether a tensor may be among the weights of c without being read:
// a head that is tied or not used, and tables of angles from older programs.
func (c Config) Ignores(name string) bool {
	return name == "lm_head.weight" && (c.TiedHead || c.IsReward()) || strings.HasSuffix(name, "rotary_emb.inv_freq")
}

func read(f checkpoint.Reader, t *Param) error { return readAs(f, t.Name, t, t.W) }

// readAs reads the tensor of a name, which has the shape of t, into w.
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

// dtypes are the element types of weights, by their names in config.json.
var dtypes = map[string]string{"float32": checkpoint.F32, "float16": checkpoint.F16, "bfloat16": checkpoint.BF16}

// CheckDType reports that dtype is none of float32, float16 and bfloat16.
func CheckDType(dtype string) error {
	if dtypes[dtype] == "" {
		return fmt.Errorf("dtype is %q, expected float32, float16 or bfloat16", dtype)
	}
	return nil
}

// Save writes config.json and the weights as float32 to dir, which must exist.
func (p *Params) Save(dir string) error { return p.SaveAs(dir, "float32") }

// SaveAs is Save with the weights rounded to dtype: float32, float16 or bfloat16.
// They are written in shards where they take more than checkpoint.ShardBytes.
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
