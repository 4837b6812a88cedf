package stage

import (
	"fmt"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/run"
)

// Manifest describes the run that the settings ask for. The settings whose fields have a `path`
// tag are its inputs, by their keys; the digest covers the content of what they name, and the
// other settings. The manifest records all settings. More adds inputs, or replaces those of the
// same key.
func Manifest[S any](stage string, settings S, more run.Inputs) (run.Manifest, error) {
	inputs, err := inputsOf(settings)
	if err != nil {
		return run.Manifest{}, fmt.Errorf("%s: %w", stage, err)
	}
	for key, paths := range more {
		inputs[key] = paths
	}
	all := settings
	for _, p := range config.Paths(&settings) {
		p.Value.SetZero()
	}
	m, err := run.NewManifest(stage, settings, inputs)
	if err != nil {
		return m, err
	}
	m.Record, err = config.RecordOf(all, settings)
	return m, err
}

// inputsOf returns what the settings read, by the keys of the settings.
func inputsOf(settings any) (run.Inputs, error) {
	var start Start
	inputs := make(run.Inputs)
	for _, p := range config.Paths(settings) {
		switch {
		case p.Role == config.Tables:
			inputs[p.Key] = p.Values()
		case p.Role == config.Adapter:
			start.Adapter = p.Value.String()
		case p.Role == config.Model && p.Key == "model":
			start.Model = p.Value.String()
		case p.Role == config.Model && !p.Value.IsZero():
			dirs, err := Start{Model: p.Value.String()}.Dirs()
			if err != nil {
				return nil, err
			}
			inputs[p.Key] = dirs
		}
	}
	if start.Model == "" && start.Adapter == "" {
		return inputs, nil
	}
	dirs, err := start.Dirs()
	inputs["model"] = dirs
	return inputs, err
}
