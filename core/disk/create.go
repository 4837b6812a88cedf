package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is a temporary file beside its destination, for content that is written piece by
// piece. The destination does not change until Commit replaces it.
type File struct {
	*os.File // open for reading too
	path     string
}

// Create creates a file that Commit moves to path. Its hidden name is unique, so two writers
// of one path do not interfere.
func Create(path string) (*File, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f := &File{temp, path}
	if err := temp.Chmod(0o644); err != nil { // CreateTemp's mode 0600 would keep other users from reading it
		return nil, errors.Join(f.wrap(err), f.Abort())
	}
	return f, nil
}

// Commit syncs the file and moves it to path: a reader finds the old file or the complete
// new one. After an error the destination is unchanged, and Abort cleans up.
func (f *File) Commit() error {
	for _, step := range []func() error{
		f.Sync, f.Close,
		func() error { return os.Rename(f.Name(), f.path) },
	} {
		if err := step(); err != nil {
			return f.wrap(err)
		}
	}
	_ = syncDir(filepath.Dir(f.path)) // not all file systems can do this, and the rename is done
	return nil
}

// Abort closes and removes the file.
func (f *File) Abort() error {
	f.Close() // the error does not matter: the file may be closed, or the disk full
	return f.wrap(RemoveFile(f.Name()))
}

func (f *File) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", f.path, err)
}
