//go:build !windows

package disk

import "os"

// syncFile flushes the content of a file to the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncDir flushes the names in a directory to the disk.
func syncDir(path string) error { return syncFile(path) }
