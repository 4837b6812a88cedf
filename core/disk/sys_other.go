//go:build !linux && !darwin

package disk

import "errors"

// exchange cannot let two names change places here.
func exchange(a, b string) error { return errors.ErrUnsupported }
