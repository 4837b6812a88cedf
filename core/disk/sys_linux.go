package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchange exchanges two names in one step. It returns errors.ErrUnsupported if the file
// system cannot do this.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	switch err {
	case nil:
		return nil
	case unix.EINVAL, unix.ENOSYS, unix.ENOTSUP:
		return errors.ErrUnsupported
	}
	return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
}
