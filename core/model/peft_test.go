package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// saved writes the base and an adapter beside it, whose terms are not zero.
func saved(t *testing.T, c model.Config, l model.LoRA) (p *model.Params, base, adapter string) {
	t.Helper()
	dir := t.TempDir()
	base, adapter = filepath.Join(dir, "base"), filepath.Join(dir, "adapter")
	if err := errors.Join(os.Mkdir(base, 0o777), os.Mkdir(adapter, 0o777), random(t, c).Save(base)); err != nil {
		t.Fatal(err)
	}
	p, err := model.Source{Model: base}.LoadAdapted(c, l, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Adapter.W {
		p.Adapter.W[i] += float32(i%7) / 50
	}
	if err := p.Adapter.Save(adapter); err != nil {
		t.Fatal(err)
	}
	return p, base, adapter
}

// TestPEFTNames: what PEFT's get_peft_model_state_dict would have of a Llama with
// hidden size 24, three heads of 8, one for keys and values, and r = 3.
func TestPEFTNames(t *testing.T) {
	_, _, dir := saved(t, small(false).Reward(), shapes()["dora"])
	f, err := checkpoint.Open(filepath.Join(dir, "adapter_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make(map[string]string)
	for _, name := range f.Names() {
		info, _ := f.Info(name)
		got[name] = fmt.Sprint(info.DType, info.Shape)
	}
	want := map[string]string{"base_model.model.score.weight": "F32[1 24]"}
	for layer := range 2 {
		for module, size := range map[string][2]int{
			"self_attn.q_proj": {24, 24}, "self_attn.k_proj": {8, 24}, "self_attn.v_proj": {8, 24}, "self_attn.o_proj": {24, 24},
			"mlp.gate_proj": {44, 24}, "mlp.up_proj": {44, 24}, "mlp.down_proj": {24, 44},
		} {
			name := fmt.Sprintf("base_model.model.model.layers.%d.%s.", layer, module)
			want[name+"lora_A.weight"] = fmt.Sprintf("F32[3 %d]", size[1])
			want[name+"lora_B.weight"] = fmt.Sprintf("F32[%d 3]", size[0])
			want[name+"lora_magnitude_vector"] = fmt.Sprintf("F32[%d]", size[0])
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("tensors\n%v\nwant\n%v", got, want)
	}
	var config map[string]any
	readJSON(t, filepath.Join(dir, "adapter_config.json"), &config)
	for key, value := range map[string]any{
		"peft_type": "LORA", "task_type": "SEQ_CLS", "r": 3.0, "lora_alpha": 4.0, "lora_dropout": 0.0, "bias": "none",
		"use_dora": true, "use_rslora": false, "inference_mode": true, "fan_in_fan_out": false,
	} {
		if config[key] != value {
			t.Errorf("%s is %v, want %v", key, config[key], value)
		}
	}
	if fmt.Sprint(config["modules_to_save"], config["target_modules"]) != "[score] [q_proj k_proj v_proj o_proj gate_proj up_proj down_proj]" {
		t.Errorf("modules_to_save %v, target_modules %v", config["modules_to_save"], config["target_modules"])
	}
	// PEFT looks into these dictionaries: null would be none.
	for _, key := range []string{"rank_pattern", "alpha_pattern"} {
		if v, there := config[key]; there && v == nil {
			t.Errorf("%s is null", key)
		}
	}
}

// TestPEFTRoundTrip: what is written is read back, bit for bit, and loading it as a
// model merges it.
func TestPEFTRoundTrip(t *testing.T) {
	for name, l := range shapes() {
		for _, c := range []model.Config{small(true), small(false).Reward()} {
			p, base, dir := saved(t, c, l)
			q, err := model.Source{Model: base, Adapter: dir}.LoadAdapted(c, l, 99)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !slices.Equal(q.Adapter.W, p.Adapter.W) || !slices.Equal(q.W, p.W) || q.Adapter.G == nil || q.G != nil {
				t.Errorf("%s: what is read back is not what was written", name)
			}
			merged, err := model.Load(dir, true)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p.Merge()
			if !slices.Equal(merged.W, p.W) || len(merged.G) != len(p.W) || merged.Config.IsReward() != c.IsReward() {
				t.Errorf("%s: loaded as a model, the weights differ by %v", name, difference(merged.W, p.W))
			}
		}
	}
}

// TestPEFTBaseFound: herd looks for the base where it was, and beside the adapter.
func TestPEFTBaseFound(t *testing.T) {
	_, base, dir := saved(t, small(true), shapes()["all"])
	moved := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(filepath.Dir(base), moved); err != nil {
		t.Fatal(err)
	}
	at, err := model.Locate(filepath.Join(moved, "adapter"), "")
	if err != nil || at.Model != filepath.Join(moved, "base") {
		t.Errorf("located at %+v, error %v", at, err)
	}
	if err := os.RemoveAll(filepath.Join(moved, "base")); err != nil {
		t.Fatal(err)
	}
	if _, err := model.Locate(filepath.Join(moved, "adapter"), ""); err == nil || !strings.Contains(err.Error(), dir[:3]) || !strings.Contains(err.Error(), "set model to") {
		t.Errorf("error %v", err)
	}
}

// TestPEFTOfOthers reads what other versions write: a pattern for the modules, a
// magnitude with ".weight", no digest.
func TestPEFTOfOthers(t *testing.T) {
	l := shapes()["k and down, dora, dropout"]
	p, base, dir := saved(t, small(false), l)
	edit(t, dir, func(c map[string]any) {
		c["target_modules"], c["revision"], c["init_lora_weights"] = ".*(k_proj|down_proj)", nil, true
	})
	var tensors []checkpoint.Tensor
	for _, w := range p.Adapter.Tensors {
		name := w.Name
		if strings.HasSuffix(name, "magnitude_vector") {
			name += ".weight"
		}
		tensors = append(tensors, checkpoint.Tensor{Name: name, Shape: w.Shape, Data: w.W})
	}
	if err := checkpoint.Write(filepath.Join(dir, model.AdapterWeights), tensors, nil); err != nil {
		t.Fatal(err)
	}
	at := model.Source{Model: base, Adapter: dir}
	q, err := at.LoadAdapted(small(false), l, 0)
	if err != nil || !slices.Equal(q.Adapter.W, p.Adapter.W) {
		t.Fatalf("other weights, or error %v", err)
	}
}

func edit(t *testing.T, dir string, change func(map[string]any)) {
	t.Helper()
	path, config := filepath.Join(dir, model.AdapterConfig), make(map[string]any)
	readJSON(t, path, &config)
	change(config)
	b, err := json.Marshal(config)
	if err == nil {
		err = os.WriteFile(path, b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPEFTRefuses(t *testing.T) {
	set := func(key string, value any) func(map[string]any) { return func(c map[string]any) { c[key] = value } }
	for want, change := range map[string]func(map[string]any){
		`peft_type is "IA3"`:                    set("peft_type", "IA3"),
		"r is 0":                                set("r", 0),
		"has shape [3 24], adapter_config.json": set("r", 2),
		"adapter_config.json says r 9999":       set("r", 9999),
		`bias is "all"`:                         set("bias", "all"),
		"fan_in_fan_out":                        set("fan_in_fan_out", true),
		"use_qalora is true":                    set("use_qalora", true),
		`init_lora_weights is "pissa_niter_4"`:  set("init_lora_weights", "pissa_niter_4"),
		"rank_pattern":                          set("rank_pattern", map[string]int{"q_proj": 4, "k_proj": 3}),
		"rank_pattern and alpha_pattern":        set("alpha_pattern", map[string]any{"q_proj": 4.5}),
		"layers_to_transform":                   set("layers_to_transform", []int{0}),
		`modules_to_save is ["lm_head"]`:        set("modules_to_save", []string{"lm_head"}),
		`task_type is "SEQ_2_SEQ_LM"`:           set("task_type", "SEQ_2_SEQ_LM"),
		"lora.alpha is -1":                      set("lora_alpha", -1),
		"lora.dropout is 2":                     set("lora_dropout", 2),
		"cannot unmarshal":                      set("r", "many"),
		"lora_magnitude_vector.weight is missi": set("use_dora", true),
		"alora_invocation_tokens is [1,2]":      set("alora_invocation_tokens", []int{1, 2}),
		`arrow_config is {"top_k":3}`:           set("arrow_config", map[string]int{"top_k": 3}),
		`target_parameters is ["mlp.w"]`:        set("target_parameters", []string{"mlp.w"}),
		"megatron_config is":                    set("megatron_config", map[string]int{"a": 1}),
		"trainable_token_indices is [7]":        set("trainable_token_indices", []int{7}),
		"use_novelty is true: herd does not":    set("use_novelty", true),
		"a_number is 0":                         set("a_number", 0),
	} {
		_, _, dir := saved(t, small(true), shapes()["all"])
		edit(t, dir, change)
		if _, err := model.Load(dir, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// TestPEFTAccepts: fields that change nothing, and fields without a value, are no reason to
// refuse an adapter.
func TestPEFTAccepts(t *testing.T) {
	_, _, dir := saved(t, small(true), shapes()["all"])
	edit(t, dir, func(c map[string]any) {
		for key, value := range map[string]any{
			"alora_invocation_tokens": nil, "arrow_config": map[string]int{}, "target_parameters": []string{}, "use_novelty": false, "note": "",
			"peft_version": "0.18.0", "megatron_core": "megatron.core", "qalora_group_size": 16, "corda_config": nil, "exclude_modules": "lm_head",
			"rank_pattern": map[string]int{"q_proj": 3}, "alpha_pattern": map[string]any{"v_proj": c["lora_alpha"]}, "layers_pattern": "layers",
		} {
			c[key] = value
		}
	})
	if _, err := model.Load(dir, false); err != nil {
		t.Error(err)
	}
}

// TestPEFTWrongBase: another model of the same shape is an error, the same model in
// another storage is not.
func TestPEFTWrongBase(t *testing.T) {
	l := shapes()["all"]
	_, base, dir := saved(t, small(true), l)
	p := random(t, small(true))
	sharded := t.TempDir()
	var tensors []checkpoint.Source
	for _, w := range p.Tensors {
		tensors = append(tensors, checkpoint.Tensor{Name: w.Name, Shape: w.Shape, Data: w.W}.As(checkpoint.F32))
	}
	slices.Reverse(tensors)
	if err := errors.Join(p.Config.Save(sharded), checkpoint.WriteModel(sharded, tensors, nil, 4000)); err != nil {
		t.Fatal(err)
	}
	if _, err := (model.Source{Model: sharded, Adapter: dir}).Load(false); err != nil {
		t.Errorf("the same model in shards: %v", err)
	}
	p.Layers[0].Down.W[7] += 1e-6
	if err := p.Save(base); err != nil {
		t.Fatal(err)
	}
	if _, err := model.Load(dir, false); err == nil || !strings.Contains(err.Error(), "trained on another base model") {
		t.Errorf("a base with one other weight: error %v", err)
	}
}

// FuzzPEFTConfig: whatever adapter_config.json holds, loading ends with an error or a
// model.
func FuzzPEFTConfig(f *testing.F) {
	f.Add(`{"peft_type":"LORA","r":3,"lora_alpha":4,"base_model_name_or_path":"../base"}`)
	f.Add(`{"peft_type":"LORA","r":1000000000}`)
	f.Add(`{"peft_type":"LORA","r":3,"rank_pattern":null,"layers_to_transform":""}`)
	f.Add(`[]`)
	f.Add(``)
	dir := f.TempDir()
	base, adapter := filepath.Join(dir, "base"), filepath.Join(dir, "adapter")
	c := small(true)
	p := model.NewParams(c, false)
	a := p.Adapt(model.LoRA{R: 3, Alpha: 4, TargetModules: []string{"q_proj"}}, false)
	if err := errors.Join(os.Mkdir(base, 0o777), os.Mkdir(adapter, 0o777), p.Save(base), a.Save(adapter)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, config string) {
		if err := os.WriteFile(filepath.Join(adapter, model.AdapterConfig), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
		if q, err := (model.Source{Model: base, Adapter: adapter}).Load(false); err == nil && q.Count() != p.Count() {
			t.Error("another model")
		}
	})
}
