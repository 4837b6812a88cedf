package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// The files of an adapter, by PEFT's names.
const (
	AdapterConfig  = "adapter_config.json"
	AdapterWeights = "adapter_model.safetensors"
)

// baseDigest is the key of the base's Params.Digest in the metadata of the weights. PEFT
// ignores it.
const baseDigest = "herd_base"

// peftConfig is adapter_config.json as PEFT writes it (LoraConfig), as far as it matters to a
// Llama. herd accepts the fields from Bias on only with values that have no effect.
type peftConfig struct {
	PeftType      string   `json:"peft_type"`
	TaskType      string   `json:"task_type"`
	Base          string   `json:"base_model_name_or_path"`
	R             int      `json:"r"`
	Alpha         float64  `json:"lora_alpha"`
	Dropout       float64  `json:"lora_dropout"`
	Targets       any      `json:"target_modules"` // a list, or a pattern: herd reads the modules from the tensors' names
	ModulesToSave []string `json:"modules_to_save"`
	RSLoRA        bool     `json:"use_rslora"`
	DoRA          bool     `json:"use_dora"`
	InferenceMode bool     `json:"inference_mode"`

	Bias          string          `json:"bias"`
	FanInFanOut   bool            `json:"fan_in_fan_out"`
	Init          any             `json:"init_lora_weights,omitempty"`
	QALoRA        bool            `json:"use_qalora,omitempty"`
	LoRABias      bool            `json:"lora_bias,omitempty"`
	RankPattern   map[string]any  `json:"rank_pattern,omitempty"`
	AlphaPattern  map[string]any  `json:"alpha_pattern,omitempty"`
	Layers        json.RawMessage `json:"layers_to_transform,omitempty"`
	LayersPattern json.RawMessage `json:"layers_pattern,omitempty"`
	LayerCopies   json.RawMessage `json:"layer_replication,omitempty"`
}

const (
	causalTask = "CAUSAL_LM"
	rewardTask = "SEQ_CLS"
)

// IsAdapter reports whether dir holds an adapter and not the weights of a whole model.
func IsAdapter(dir string) bool {
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	return there(AdapterConfig) && !there(checkpoint.ModelName) && !there(checkpoint.IndexName)
}

func readPEFT(dir string) (peftConfig, error) {
	path := filepath.Join(dir, AdapterConfig)
	c := peftConfig{R: 8, Alpha: 8, Bias: "none"} // PEFT's defaults for missing keys
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("model: %w (an adapter's directory holds %s and %s)", err, AdapterConfig, AdapterWeights)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("model: %s: %w", path, err)
	}
	if err := cmp.Or(c.validate(), refuseUnknown(b)); err != nil {
		return c, fmt.Errorf("model: %s: %w", path, err)
	}
	return c, nil
}

// validate returns an error for the first field that asks for something herd does not do.
func (c peftConfig) validate() error {
	foreign := slices.ContainsFunc(c.ModulesToSave, func(m string) bool { return m != "score" && m != "classifier" })
	switch {
	case c.PeftType != "LORA":
		return fmt.Errorf("peft_type is %q, only LORA is implemented", c.PeftType)
	case c.R < 1:
		return fmt.Errorf("r is %d, expected 1 or more", c.R)
	case c.TaskType != "" && c.TaskType != causalTask && c.TaskType != rewardTask:
		return fmt.Errorf("task_type is %q, expected %s or %s", c.TaskType, causalTask, rewardTask)
	case foreign:
		return fmt.Errorf("modules_to_save is %q, only score is implemented", c.ModulesToSave)
	case c.Bias != "none" || c.LoRABias:
		return fmt.Errorf("bias is %q and lora_bias %t, adapters with biases are not implemented", c.Bias, c.LoRABias)
	case c.QALoRA:
		return fmt.Errorf("use_qalora is true, which is not implemented")
	case c.changesBase():
		return fmt.Errorf("init_lora_weights is %q, which changes the base too: save the adapter with PEFT's path_initial_model_for_weight_conversion", c.Init)
	case c.FanInFanOut:
		return fmt.Errorf("fan_in_fan_out is true, a Llama's matrices are [out, in]")
	case !alike(c.RankPattern, float64(c.R)) || !alike(c.AlphaPattern, c.Alpha):
		return fmt.Errorf("rank_pattern and alpha_pattern are not implemented: all modules must have one r and one lora_alpha")
	case given(c.Layers) || given(c.LayerCopies): // layers_pattern has no effect without layers_to_transform
		return fmt.Errorf("layers_to_transform, layers_pattern and layer_replication are not implemented: all layers must be adapted alike")
	}
	return nil
}

// alike reports whether a pattern gives all modules the value that they have anyway.
func alike(pattern map[string]any, value float64) bool {
	for _, v := range pattern {
		if v != value {
			return false
		}
	}
	return true
}

// changesBase reports whether the initialisation takes parts of the base into the adapter, as
// PiSSA and OLoRA do: PEFT then changes the base whenever it loads the adapter.
func (c peftConfig) changesBase() bool {
	name, named := c.Init.(string)
	return named && !slices.Contains([]string{"gaussian", "eva", "orthogonal"}, name)
}

// given reports whether a JSON value exists and is not empty.
func given(v json.RawMessage) bool {
	return !slices.Contains([]string{"", "null", "[]", "{}", `""`, "false"}, strings.Join(strings.Fields(string(v)), ""))
}

// lora returns the shape that the config and the tensors' names describe.
func (c peftConfig) lora(names []string) LoRA {
	return LoRA{R: c.R, Alpha: c.Alpha, Dropout: c.Dropout, RSLoRA: c.RSLoRA, DoRA: c.DoRA, TargetModules: adapted(names)}
}

var termName = regexp.MustCompile(`\.([a-z]+_proj)\.lora_A\.weight$`)

// adapted returns the projections that have a term, in the order of a layer.
func adapted(names []string) (modules []string) {
	for _, p := range projections {
		if slices.ContainsFunc(names, func(name string) bool {
			m := termName.FindStringSubmatch(name)
			return m != nil && m[1] == p
		}) {
			modules = append(modules, p)
		}
	}
	return modules
}

// Save is SaveAs in float32.
func (a *Adapter) Save(dir string) error { return a.SaveAs(dir, "float32") }

// SaveAs writes adapter_config.json and adapter_model.safetensors in PEFT's format to dir,
// which must exist, with the weights rounded to dtype.
func (a *Adapter) SaveAs(dir, dtype string) error {
	if err := CheckDType(dtype); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	c := peftConfig{
		PeftType: "LORA", TaskType: causalTask, Base: a.Base, InferenceMode: true, Bias: "none",
		R: a.LoRA.R, Alpha: a.LoRA.Alpha, Dropout: a.LoRA.Dropout, Targets: a.LoRA.TargetModules, RSLoRA: a.LoRA.RSLoRA, DoRA: a.LoRA.DoRA,
	}
	if a.Score != nil {
		c.TaskType, c.ModulesToSave = rewardTask, []string{"score"}
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("model: adapter: %w", err)
	}
	if err := disk.WriteBytes(filepath.Join(dir, AdapterConfig), append(b, '\n')); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	var tensors []checkpoint.Source
	for _, t := range a.Tensors {
		tensors = append(tensors, checkpoint.Tensor{Name: t.Name, Shape: t.Shape, Data: t.W}.As(dtypes[dtype]))
	}
	return checkpoint.WriteSources(filepath.Join(dir, AdapterWeights), tensors, map[string]string{"format": "pt", baseDigest: a.digest})
}

// ReadFrom sets the weights to those in dir. Missing tensors are an error, except for the value
// head, which then stays as it is. Tensors that the adapter does not use, and weights that
// were trained beside another base, are errors too.
func (a *Adapter) ReadFrom(dir string) error {
	f, err := checkpoint.Open(filepath.Join(dir, AdapterWeights))
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	if err := a.read(f); err != nil {
		return fmt.Errorf("model: %s: %w", dir, err)
	}
	return nil
}

func (a *Adapter) read(f *checkpoint.File) error {
	if digest := f.Metadata()[baseDigest]; digest != "" && digest != a.digest {
		return fmt.Errorf("the adapter was trained on another base model than %s: use the base that it was trained on", a.Base)
	}
	known := make(map[string]bool)
	names := f.Names()
	for _, t := range a.Tensors {
		name := t.Name
		if _, there := f.Info(name); !there && strings.HasSuffix(name, "lora_magnitude_vector") {
			name += ".weight" // some versions of PEFT leave the suffix out
		}
		known[name] = true
		if t == a.Score && !slices.Contains(names, name) {
			continue
		}
		if err := readAs(f, name, t, t.W); err != nil {
			return err
		}
	}
	for _, name := range names {
		if !known[name] {
			return fmt.Errorf("tensor %q is not part of a projection of this model", name)
		}
	}
	return nil
}
