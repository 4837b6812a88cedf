//go:build !linux && !darwin && !freebsd && !windows

package run

import (
	"errors"
	"io/fs"
	"os"
)

// openLocked makes the file at path; it returns nil if it is there. Here a process
// that is killed leaves it behind, for a person to remove.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, nil
	}
	return f, err
}

func (l *Lock) Release() {
	l.file.Close()
	os.Remove(l.file.Name())
}
