//go:build !linux && !darwin

package disk

import "errors"

// exchange is not available on this system.
func exchange(a, b string) error { return errors.ErrUnsupported }
