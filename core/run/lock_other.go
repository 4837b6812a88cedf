//go:build !linux && !darwin && !freebsd && !windows

package run

import (
	"errors"
	"io/fs"
	"os"
)

// openLocked makes the file at path; the error is errLocked if it exists. On these systems
// a killed process leaves the file behind, and a person has to remove it.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, errLocked
	}
	return f, err
}

// Release lets the next process in.
func (l *Lock) Release() {
	l.file.Close()
	os.Remove(l.file.Name())
}
