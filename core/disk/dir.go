package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Marker is the file that identifies a directory as herd's own: its manifest.
const Marker = "herd.json"

// WriteDir replaces a directory by what write puts into the empty directory tmp beside it,
// completely or not at all. WriteDir syncs all files first. If the process dies or the machine
// loses power at any moment, the disk holds the old directory or the new one.
//
// Linux and macOS exchange the two names in one step. Elsewhere there is a moment when the old
// directory has a hidden name and the new one is not yet in place. Recover restores the old
// one; OpenModel, ReadManifest and WriteDir call it.
//
// The next WriteDir removes what a killed one left behind. The caller must make sure that only
// one process writes a directory at a time, and on Windows that no file in it is open.
// WriteDir does not replace a directory that has files but no manifest, because herd did not
// write it.
func WriteDir(dir string, write func(tmp string) error) error {
	if err := writeDir(dir, write, exchange); err != nil {
		return fmt.Errorf("write directory %s: %w", dir, err)
	}
	return nil
}

// writeDir is WriteDir with the function that exchanges two names as an argument.
func writeDir(dir string, write func(tmp string) error, exchange func(a, b string) error) (err error) {
	dir, err = resolve(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(Recover(dir), mayReplace(dir)); err != nil {
		return err
	}
	tmp, aside := sibling(dir, "writing"), sibling(dir, "replaced")
	if err := errors.Join(os.RemoveAll(tmp), os.RemoveAll(aside)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	if err := os.MkdirAll(tmp, 0o777); err != nil {
		return err
	}
	if err := write(tmp); err != nil {
		return err
	}
	if err := syncTree(tmp); err != nil {
		return err
	}
	if err := swap(tmp, dir, aside, exchange); err != nil {
		return err
	}
	return os.RemoveAll(aside) // not sooner: after a failure it may be the only copy
}

// resolve returns the absolute path of dir. If dir is a link, resolve returns its target: the
// link stays, and the target is replaced.
func resolve(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		return target, nil
	}
	return dir, nil
}

// mayReplace returns an error if herd did not write dir.
func mayReplace(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(dir, Marker)); err != nil {
		return fmt.Errorf("it is not empty and has no %s, so herd does not replace it: choose another directory or remove it", Marker)
	}
	return nil
}

// swap moves tmp to dir, which may not exist.
func swap(tmp, dir, aside string, exchange func(a, b string) error) error {
	parent := filepath.Dir(dir)
	if err := syncDir(parent); err != nil {
		return err
	}
	if !exists(dir) {
		return errors.Join(os.Rename(tmp, dir), syncDir(parent))
	}
	err := exchange(tmp, dir)
	if errors.Is(err, errors.ErrUnsupported) {
		err = swapInTwo(tmp, dir, aside)
	}
	return errors.Join(err, syncDir(parent))
}

// swapInTwo renames dir to aside, then tmp to dir. If the second rename fails, it undoes the
// first.
func swapInTwo(tmp, dir, aside string) error {
	if err := os.Rename(dir, aside); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		return errors.Join(err, os.Rename(aside, dir))
	}
	return nil
}

// Recover restores a directory that a WriteDir moved aside and did not replace because its
// process died. Otherwise it does nothing.
func Recover(dir string) error {
	dir, err := resolve(dir)
	if err != nil {
		return err
	}
	aside := sibling(dir, "replaced")
	if exists(dir) || !exists(aside) {
		return nil
	}
	if err := os.Rename(aside, dir); err != nil {
		return fmt.Errorf("recover %s: %w", dir, err)
	}
	return syncDir(filepath.Dir(dir))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// syncTree syncs all files and directories below root, and root.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return syncDir(path)
		case d.Type().IsRegular():
			return syncFile(path)
		default:
			return nil // links and other special files have no content to sync
		}
	})
}
