package run

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
)

// Inputs are the files and model directories that a stage reads, by the name of the setting
// that holds their paths.
type Inputs map[string][]string

// NewManifest describes a run by what determines its outcome: the stage, its settings and the
// content of its inputs. The settings must hold no paths: moving files changes no digest.
func NewManifest(stage string, settings any, inputs Inputs) (Manifest, error) {
	m := Manifest{Stage: stage, Inputs: make(map[string]string), Herd: version(), files: make(map[string]string)}
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		for i, path := range inputs[name] {
			digest, err := digestInput(path)
			if err != nil {
				return m, fmt.Errorf("%s: %s: %w", stage, name, err)
			}
			input := fmt.Sprintf("%s[%d]", name, i)
			m.Inputs[input], m.files[input] = digest, path
		}
	}
	var err error
	m.Digest, err = DigestJSON(struct {
		Stage    string
		Settings any
		Inputs   map[string]string
	}{stage, settings, m.Inputs})
	return m, err
}

// version returns the version of the program, as the module system knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Version
}

// adapterConfig describes an adapter, in PEFT's layout.
const adapterConfig = "adapter_config.json"

// modelFiles are the files of a model directory that determine what it computes.
var modelFiles = []string{
	"config.json", "generation_config.json", adapterConfig, "*.safetensors",
	"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja",
	"special_tokens_map.json", "added_tokens.json", "additional_chat_templates/*.jinja",
}

// digestInput returns the digest of a file or of the model in a directory. Of a directory
// without a model it returns the digest of all files.
func digestInput(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return DigestFile(path)
	}
	digests := make(map[string]string)
	for _, pattern := range modelFiles {
		files, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			return "", err
		}
		for _, f := range files {
			if digests[filepath.Base(f)], err = digestFile(f); err != nil {
				return "", err
			}
		}
	}
	if len(digests) == 0 {
		return digestFolder(path)
	}
	return DigestJSON(digests)
}

// digestFile returns the digest of a file. In an adapter's description, the path of the base
// model does not count.
func digestFile(path string) (string, error) {
	if filepath.Base(path) != adapterConfig {
		return DigestFile(path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	settings := make(map[string]any)
	if err := json.Unmarshal(b, &settings); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	delete(settings, "base_model_name_or_path")
	return DigestJSON(settings)
}

// digestFolder returns a digest of the names and contents of all files below dir, except for
// locks.
func digestFolder(dir string) (string, error) {
	digests := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || entry.Name() == LockName {
			return err
		}
		digests[path[len(dir):]], err = DigestFile(path)
		return err
	})
	if err != nil {
		return "", err
	}
	if len(digests) == 0 {
		return "", fmt.Errorf("%s holds no files", dir)
	}
	return DigestJSON(digests)
}
