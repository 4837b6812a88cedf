package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// A Lock keeps a second process from a directory. The system lets go of it when
// the process dies, however it dies (but see lock_other.go).
type Lock struct{ file *os.File }

// LockDir takes the directory's lock, or says that another process has it.
func LockDir(dir string) (*Lock, error) {
	path := filepath.Join(dir, ".lock")
	for {
		f, err := openLocked(path)
		if err != nil {
			return nil, err
		}
		if f == nil {
			return nil, fmt.Errorf("%s: another process is at work there (it holds %s): wait for its end, or choose another directory", dir, path)
		}
		// Whoever had it before removed the file when done: another may have been made
		// since this one was opened.
		if current(f, path) {
			return &Lock{f}, nil
		}
		f.Close()
	}
}

func current(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}
