package disk

import "os"

// syncFile brings a file's content to the disk. Windows wants it writable.
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
