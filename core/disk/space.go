package disk

import (
	"fmt"
	"os"
	"path/filepath"
)

// CheckSpace reports an error if the file system that dir is on, or will be on,
// has less than need bytes free for us. Where the system does not tell, it
// reports none.
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
		return fmt.Errorf("%s: %s needed, %s free: make room or choose another directory", dir, size(uint64(need)), size(have))
	}
	return nil
}

// size formats a number of bytes for a person.
func size(n uint64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d bytes", n)
	}
	x, prefix := float64(n)/unit, 0
	for x >= unit {
		x, prefix = x/unit, prefix+1
	}
	return fmt.Sprintf("%.1f %cB", x, "kMGTPE"[prefix])
}
