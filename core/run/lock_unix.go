//go:build linux || darwin || freebsd

package run

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openLocked opens and locks the file at path, without waiting. The error is errLocked if
// another process has locked the file.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	switch {
	case err == nil, unsupported(err):
		return f, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = errLocked
	default:
		err = &os.PathError{Op: "lock", Path: path, Err: err}
	}
	f.Close()
	return nil, err
}

// unsupported reports whether the file system has no locks, as some network file systems.
func unsupported(err error) bool {
	return errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EOPNOTSUPP)
}

// Release lets the next process in. It removes the file first, while the lock is still
// held.
func (l *Lock) Release() {
	os.Remove(l.file.Name())
	l.file.Close()
}
