package convert

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// Cached returns a Hugging Face directory of the model in a file. It is in the user's cache
// directory (os.UserCacheDir), under a name that depends on the file's path, size and time of
// modification. If there is none yet, Cached calls begin with its name and makes it.
func Cached(path string, begin func(dir string)) (string, error) {
	dir, err := cacheFor(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	begin(dir)
	m, err := Open(path)
	if err != nil {
		return "", err
	}
	defer m.Close()
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return "", err
	}
	err = Write(dir, m, HF, false, func(done, all int) error { return nil })
	if _, made := os.Stat(dir); made == nil {
		return dir, nil // another process may have been faster
	}
	return "", err
}

func cacheFor(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(absolute)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%s needs a cache directory to be converted into: %w", path, err)
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", absolute, info.Size(), info.ModTime().UnixNano()))
	return filepath.Join(cache, "herd", fmt.Sprintf("%s-%x", nameOf(path), key[:8])), nil
}
