package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// openInput opens a file to read; "-" is standard input.
func openInput(path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	return os.Open(path)
}

// createOutput creates a file to write; "-" is standard output. A file that
// exists is only replaced if that is wanted.
func createOutput(path string, overwrite bool) (io.WriteCloser, error) {
	if path == "-" {
		return standardOutput{os.Stdout}, nil
	}
	how := os.O_EXCL
	if overwrite {
		how = os.O_TRUNC
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|how, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: choose another file, or --overwrite", path)
	}
	return f, err
}

// standardOutput is not closed by those who write to it.
type standardOutput struct{ io.Writer }

func (standardOutput) Close() error { return nil }

// refuseExisting reports an error if dir holds the file name, unless it may be
// replaced.
func refuseExisting(dir, name string, overwrite bool) error {
	path := filepath.Join(dir, name)
	if _, err := os.Lstat(path); err == nil && !overwrite {
		return fmt.Errorf("%s exists: choose another directory, or --overwrite", path)
	}
	return nil
}
