package disk

import "os"

// syncFile flushes the content of a file to the disk. On Windows this needs a file that is
// open for writing.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// syncDir does nothing: NTFS journals names, and Windows cannot sync them.
func syncDir(path string) error { return nil }
