//go:build !windows

package disk

import "os"

// syncFile brings a file's content to the disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncDir brings the names in a directory to the disk.
func syncDir(path string) error { return syncFile(path) }
