package disk

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/memory"
)

// CheckSpace returns an error if the file system of dir, which need not exist yet, has fewer
// than need bytes free for this user. It returns none where the system does not report free
// space.
func CheckSpace(dir string, need int64) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for !exists(dir) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
	}
	have, err := freeSpace(dir)
	if err != nil {
		return &os.PathError{Op: "free space", Path: dir, Err: err}
	}
	if need > 0 && uint64(need) > have {
		return fmt.Errorf("%s: %s needed, %s free: make room or choose another directory", dir, memory.Bytes(need), memory.Bytes(int64(have)))
	}
	return nil
}
