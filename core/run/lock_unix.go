//go:build linux || darwin || freebsd

package run

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openLocked opens and locks the file at path; it returns nil if another process
// has locked it.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return nil, &os.PathError{Op: "lock", Path: path, Err: err}
}

// Release lets the next one in. The file goes first, while it is still held.
func (l *Lock) Release() {
	os.Remove(l.file.Name())
	l.file.Close()
}
