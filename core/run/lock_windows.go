package run

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// openLocked opens and locks the file at path, without waiting. The error is errLocked if
// another process has locked the file.
func openLocked(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	// Nobody can read the bytes that are locked, so the lock is on one far beyond the text.
	at := &windows.Overlapped{OffsetHigh: math.MaxInt32}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION):
		err = errLocked
	default:
		err = &os.PathError{Op: "lock", Path: path, Err: err}
	}
	f.Close()
	return nil, err
}

// Release lets the next process in. Windows does not remove a file that another process
// has open: then the file stays.
func (l *Lock) Release() {
	l.file.Close()
	os.Remove(l.file.Name())
}
