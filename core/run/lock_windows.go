package run

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// openLocked opens and locks the file at path; it returns nil if another process
// has locked it.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return nil, nil
	}
	return nil, &os.PathError{Op: "lock", Path: path, Err: err}
}

// Release lets the next one in. A file that is open in another process stays.
func (l *Lock) Release() {
	l.file.Close()
	os.Remove(l.file.Name())
}
