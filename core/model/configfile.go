package model

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
)

// ConfigFile is the file of a model directory that holds the configuration.
const ConfigFile = "config.json"

const (
	generationName = "generation_config.json"
	maxConfig      = 4 << 20 // bytes
)

// LoadConfig reads and validates the configuration of the model in dir: config.json, or that
// of the base if dir holds an adapter.
func LoadConfig(dir string) (Config, error) {
	s, err := Locate(dir, "")
	if err != nil {
		return Config{}, err
	}
	return s.Config()
}

// loadConfig reads and validates dir/config.json, and generation_config.json if it exists.
func loadConfig(dir string) (Config, error) {
	text, err := readConfigFile(dir)
	if err != nil {
		return Config{}, err
	}
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("model: %s: %w", filepath.Join(dir, ConfigFile), err)
	}
	if err := c.loadGeneration(filepath.Join(dir, generationName)); err != nil {
		return Config{}, fmt.Errorf("model: %w", err)
	}
	return c, nil
}

// parseConfig parses a config.json and fills in the fields that it leaves out.
func parseConfig(text []byte) (Config, error) {
	var c Config
	var other otherFields
	if err := errors.Join(json.Unmarshal(text, &c), json.Unmarshal(text, &other)); err != nil {
		return c, err
	}
	if err := other.check(); err != nil {
		return c, err
	}
	c.Source = text
	c.Type = cmp.Or(other.DType, c.Type)
	c.RopeScaling = c.RopeScaling.settle()
	if err := c.readRopeParameters(other.Rope); err != nil {
		return c, err
	}
	if c.IsReward() && c.Labels == 0 {
		c.Labels = len(other.Labels)
	}
	c.fillDefaults()
	if unused := c.ModelType == "qwen2" && !c.UseSlidingWindow; other.Window == nil && c.family().window > 0 && !unused {
		c.SlidingWindow = new(c.family().window)
	}
	return c, c.Validate()
}

// otherFields are the fields that Config has in another form, or lacks.
type otherFields struct {
	DType        string            `json:"dtype"` // the newer name of torch_dtype
	Labels       map[string]string `json:"id2label"`
	Rope         json.RawMessage   `json:"rope_parameters"`
	Window       json.RawMessage   `json:"sliding_window"` // nil if absent, not if null
	Partial      *float64          `json:"partial_rotary_factor"`
	Quantization json.RawMessage   `json:"quantization_config"`
}

// check returns an error for fields that ask for a model that herd does not compute.
func (o otherFields) check() error {
	switch {
	case o.Quantization != nil && string(o.Quantization) != "null":
		return errors.New("quantization_config: quantised weights are not read, take the model that they were made from")
	case o.Partial != nil && *o.Partial != 1:
		return fmt.Errorf("partial_rotary_factor is %g, only 1 is implemented", *o.Partial)
	}
	return nil
}

// fillDefaults sets the fields that config.json may leave out to transformers' defaults.
func (c *Config) fillDefaults() {
	f := c.family()
	c.KVHeads = cmp.Or(c.KVHeads, f.kvHeads, c.Heads)
	if c.Heads > 0 {
		c.HeadDim = cmp.Or(c.HeadDim, c.HiddenSize/c.Heads)
	}
	c.MaxPositions = cmp.Or(c.MaxPositions, f.positions)
	c.RopeTheta = cmp.Or(c.RopeTheta, 10000)
	c.NormEps = cmp.Or(c.NormEps, 1e-6)
	c.InitRange = cmp.Or(c.InitRange, 0.02)
	c.HiddenAct = cmp.Or(c.HiddenAct, "silu")
	if len(c.Architectures) == 0 {
		c.Architectures = []string{f.causal}
	}
}

// Save writes dir/config.json, and generation_config.json if c was read with one. Fields that
// c has not changed, and those that herd does not use, stay as they were in the file.
func (c Config) Save(dir string) error {
	all, err := c.document()
	if err != nil {
		return fmt.Errorf("model: config: %w", err)
	}
	err = disk.WriteFile(filepath.Join(dir, ConfigFile), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(all)
	})
	if err != nil {
		return err
	}
	return c.SaveGeneration(dir)
}

// document returns the fields of config.json: those that c was read from, updated where c
// has changed since.
func (c Config) document() (map[string]json.RawMessage, error) {
	now, err := c.fields()
	if err != nil || c.Source == nil {
		return now, err
	}
	read, err := parseConfig(c.Source)
	if err != nil {
		return nil, err
	}
	was, err := read.fields()
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(c.Source, &all); err != nil {
		return nil, err
	}
	for field, text := range now {
		if !bytes.Equal(text, was[field]) {
			all[field] = text
			if field == "rope_theta" || field == "rope_scaling" {
				delete(all, "rope_parameters") // describes the old scaling
			}
		}
	}
	maps.DeleteFunc(all, func(field string, _ json.RawMessage) bool { return was[field] != nil && now[field] == nil })
	if all["dtype"] != nil {
		all["dtype"] = now["torch_dtype"]
		delete(all, "torch_dtype")
	}
	return all, nil
}

// Fields returns c under the names of config.json: every field that herd knows, even those
// that the file left out, and the rest of the file unchanged.
func (c Config) Fields() (map[string]json.RawMessage, error) {
	all := make(map[string]json.RawMessage)
	if c.Source != nil {
		if err := json.Unmarshal(c.Source, &all); err != nil {
			return nil, err
		}
	}
	known, err := c.fields()
	maps.Copy(all, known)
	delete(all, "rope_parameters") // c has it as rope_theta and rope_scaling
	delete(all, "dtype")           // c has it as torch_dtype
	return all, err
}

// fields returns the fields of c itself.
func (c Config) fields() (all map[string]json.RawMessage, err error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(text, &all)
}
