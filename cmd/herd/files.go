package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// jsonLines returns an encoder of lines of JSON that leaves <, > and & as they
// are, which are many in special tokens.
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

// inputName is what to call the input in errors.
func inputName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

// createOutput creates a file to write; "-" is standard output. A file that
// exists is only replaced if that is wanted.
func createOutput(path string, overwrite bool) (io.WriteCloser, error) {
	if path == "-" {
		return standardOutput{os.Stdout}, nil
	}
	if err := refuseExisting(path, overwrite); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// standardOutput is not closed by those who write to it.
type standardOutput struct{ io.Writer }

func (standardOutput) Close() error { return nil }

// writeOutput is createOutput for what is of no use in part: the file appears,
// or replaces another, when write has written all of it.
func writeOutput(path string, overwrite bool, write func(io.Writer) error) error {
	target := path
	if mayBeReplaced(path) {
		target = path + ".new"
	}
	if err := refuseExisting(path, overwrite); err != nil {
		return err
	}
	w, err := createOutput(target, true)
	if err != nil {
		return err
	}
	err = errors.Join(write(w), w.Close())
	switch {
	case target == path:
		return err
	case err != nil:
		return errors.Join(err, os.Remove(target))
	}
	return os.Rename(target, path)
}

// mayBeReplaced reports whether path is no device, pipe or standard output.
func mayBeReplaced(path string) bool {
	info, err := os.Stat(path)
	return path != "-" && (errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular())
}

// refuseExisting reports an error if there is something at path, unless it may
// be replaced.
func refuseExisting(path string, overwrite bool) error {
	if overwrite || path == "-" {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists: choose another place, or --overwrite", path)
	}
	return nil
}
