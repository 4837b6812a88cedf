package model

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
)

// NoModel reports that there is no model directory at a path.
type NoModel struct {
	Path string
	File bool // whether there is a file, which may be a model of another program
	err  error
}

func (e *NoModel) Error() string {
	switch _, err := os.Stat(e.Path); {
	case IsAdapter(e.Path):
		return fmt.Sprintf("model: %s is an adapter, expected a whole model: merge it into its model first", e.Path)
	case e.File:
		return fmt.Sprintf("model: %s is a file, expected the directory of a model", e.Path)
	case os.IsNotExist(err):
		return fmt.Sprintf("model: there is no directory %s", e.Path)
	}
	return fmt.Sprintf("model: %v (a model directory holds config.json and model.safetensors)", e.err)
}

func (e *NoModel) Unwrap() error { return e.err }

// readConfigFile returns the text of dir/config.json.
func readConfigFile(dir string) ([]byte, error) {
	text, err := disk.ReadLimited(filepath.Join(dir, ConfigFile), maxConfig)
	if err != nil {
		info, statErr := os.Stat(dir)
		return nil, &NoModel{Path: dir, File: statErr == nil && !info.IsDir(), err: err}
	}
	return text, nil
}

// Whole returns an error if dir holds an adapter and not a whole model.
func Whole(dir string) error {
	if IsAdapter(dir) {
		return &NoModel{Path: dir}
	}
	return nil
}
