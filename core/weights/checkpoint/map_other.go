//go:build !linux && !darwin && !freebsd

package checkpoint

import (
	"errors"
	"os"
)

// mapFile cannot map files here: they are read.
func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) error { return nil }

func forget([]byte, int, int) {}
