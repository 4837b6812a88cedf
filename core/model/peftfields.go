package model

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// withoutEffect lists the fields of adapter_config.json that change nothing that a loaded
// adapter computes: how it was initialised or saved, and which program wrote it.
var withoutEffect = []string{
	"auto_mapping", "revision", "exclude_modules", "loftq_config", "eva_config", "corda_config",
	"runtime_config", "peft_version", "ensure_weight_tying", "base_model_class", "qalora_group_size",
	"megatron_core", "inference_mode", "unsloth_fixed", "lora_ga_config",
}

// refuseUnknown returns an error for a field that herd does not know and that has a value: a
// newer version of PEFT may compute something else with it.
func refuseUnknown(text []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	known := slices.Clone(withoutEffect)
	fields := reflect.TypeFor[peftConfig]()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		known = append(known, name)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(known, name) && given(all[name]) {
			return fmt.Errorf("%s is %.60s: herd does not know this field, so it cannot compute what the adapter computes", name, all[name])
		}
	}
	return nil
}
