//go:build !linux && !darwin && !freebsd

package checkpoint

import (
	"errors"
	"os"
)

// mapFile is not supported here: content reads the file instead.
func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) error { return nil }

func forget([]byte, int, int) {}
