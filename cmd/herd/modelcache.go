package main

import (
	"fmt"
	"os"

	"github.com/herd-lm/herd/core/weights/convert"
)

// asDirectory returns the directory of the model at path. For a GGUF file that is a directory in
// the user's cache, which it makes at the first use of the file.
func asDirectory(path string) (string, error) {
	if kind, err := convert.KindOf(path); err != nil || kind != convert.GGUF {
		return path, nil // the loader reports what is wrong
	}
	return convert.Cached(path, func(dir string) {
		fmt.Fprintf(os.Stderr, "converting %s into %s\n", path, dir)
	})
}
