package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/herd-lm/herd/core/disk"
)

// jsonLines returns an encoder of lines of JSON that does not escape <, > and &, because special
// tokens contain them.
func jsonLines(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// openInput opens a file to read; "-" is standard input.
func openInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(path)
}

// inputName returns the name of the input for errors.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// createOutput creates a file to write; "-" is standard output. It replaces an existing file only
// if overwrite is set.
func createOutput(path string, overwrite bool) (io.WriteCloser, error) {
	if path == "-" {
		return standardOutput{os.Stdout}, nil
	}
	if err := refuseExisting(path, overwrite); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// standardOutput ignores Close.
type standardOutput struct{ io.Writer }

func (standardOutput) Close() error { return nil }

// writeOutput writes a file that would be useless if incomplete: it creates or replaces the file
// only after write has succeeded. Devices, pipes and standard output receive the text at once.
func writeOutput(path string, overwrite bool, write func(io.Writer) error) error {
	if err := refuseExisting(path, overwrite); err != nil {
		return err
	}
	if mayBeReplaced(path) {
		return disk.WriteFile(path, write)
	}
	w, err := createOutput(path, true)
	if err != nil {
		return err
	}
	return errors.Join(write(w), w.Close())
}

// mayBeReplaced reports whether path is a regular file or does not exist. It is false for devices,
// pipes and standard output.
func mayBeReplaced(path string) bool {
	info, err := os.Stat(path)
	return path != "-" && (errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular())
}

// refuseExisting returns an error if path exists, unless overwrite is set.
func refuseExisting(path string, overwrite bool) error {
	if overwrite || path == "-" {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists: choose another path, or replace it with --overwrite", path)
	}
	return nil
}
