package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchange exchanges two names in one step. It returns errors.ErrUnsupported if the file
// system cannot do this.
func exchange(a, b string) error {
	err := unix.RenamexNp(a, b, unix.RENAME_SWAP)
	switch err {
	case nil:
		return nil
	case unix.EINVAL, unix.ENOTSUP:
		return errors.ErrUnsupported
	}
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
}
