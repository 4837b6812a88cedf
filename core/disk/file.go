package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile replaces the file at path by what write writes, completely or not at all. The new
// content goes to a hidden file beside path, which WriteFile syncs and renames.
func WriteFile(path string, write func(io.Writer) error) error {
	tmp := sibling(path, "writing")
	err := writeSynced(tmp, write)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, RemoveFile(tmp)))
	}
	return syncDir(filepath.Dir(path))
}

// WriteBytes replaces the file at path by content, as WriteFile does.
func WriteBytes(path string, content []byte) error {
	return WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// chunk is the size of the write buffer in bytes.
const chunk = 256 << 10

func writeSynced(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, chunk)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// RemoveFile removes a file. It is no error if there is none.
func RemoveFile(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// sibling returns a hidden name beside path for a temporary state of the file or directory.
func sibling(path, state string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".herd-"+state)
}
