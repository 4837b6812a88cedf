package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is a file that is being written beside its destination, for content that comes
// piece by piece. Commit puts it in place; until then the destination stays as it is.
type File struct {
	*os.File // open for reading too
	path     string
}

// Create begins a file that Commit puts at path. Its hidden name is its own, so that
// two writers of one path do not mix.
func Create(path string) (*File, error) {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f := &File{temp, path}
	if err := temp.Chmod(0o644); err != nil { // CreateTemp's 0600 would hide it from others
		return nil, errors.Join(f.wrap(err), f.Abort())
	}
	return f, nil
}

// Commit syncs the file and replaces path by it: a reader finds the old file or the
// whole new one. After an error the destination is as it was, and Abort cleans up.
func (f *File) Commit() error {
	for _, step := range []func() error{
		f.Sync, f.Close,
		func() error { return os.Rename(f.Name(), f.path) },
	} {
		if err := step(); err != nil {
			return f.wrap(err)
		}
	}
	_ = syncDir(filepath.Dir(f.path)) // some file systems cannot: the rename is then as lasting as they make it
	return nil
}

// Abort gives the file up and removes it.
func (f *File) Abort() error {
	f.Close() // it may be closed, or the disk full: the file is to go anyway
	return f.wrap(RemoveFile(f.Name()))
}

func (f *File) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", f.path, err)
}
