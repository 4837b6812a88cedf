package format

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// source is one file to import.
type source struct {
	path   string
	name   string // for Origin.Source: without the folders above
	folder bool   // found in a folder, not named by the user: skipped if it is not text
}

// findSources lists the files among paths, and the files below those paths that are folders, in
// lexical order. It skips hidden files and folders (.git).
func findSources(paths []string) ([]source, error) {
	var found []source
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			found = append(found, source{path: path, name: filepath.Base(path)})
			continue
		}
		inside, err := walkFolder(path)
		if err != nil {
			return nil, err
		}
		found = append(found, inside...)
	}
	return found, nil
}

func walkFolder(root string) (found []source, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == root:
			return nil
		case strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(entry.Name(), ".") || !entry.Type().IsRegular():
			return nil
		}
		relative, err := filepath.Rel(root, path)
		name := filepath.ToSlash(filepath.Join(filepath.Base(root), relative))
		found = append(found, source{path: path, name: name, folder: true})
		return err
	})
	return withoutDescriptions(found), err
}

// withoutDescriptions leaves out the files with which Hugging Face's datasets describes the Arrow
// or Parquet files of a folder.
func withoutDescriptions(found []source) []source {
	isData := func(s source) bool {
		ext := filepath.Ext(s.path)
		return ext == ".arrow" || ext == ".parquet"
	}
	if !slices.ContainsFunc(found, isData) {
		return found
	}
	return slices.DeleteFunc(found, func(s source) bool {
		return slices.Contains([]string{"dataset_info.json", "dataset_dict.json", "state.json", "README.md", "LICENSE"}, filepath.Base(s.path))
	})
}

// wrap puts the file's path before an error that begins with a place or a verb.
func (s source) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %w", s.path, err)
}

// isJSON reports whether the file's name ends as JSON files do.
func (s source) isJSON() bool {
	switch filepath.Ext(s.plainName()) {
	case ".json", ".jsonl", ".ndjson":
		return true
	}
	return false
}

// open opens the file. It decompresses gzip and Zstandard, and skips a byte order mark.
func (s source) open() (*sourceReader, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	r := &sourceReader{Reader: bufio.NewReaderSize(file, 1<<16), file: file}
	if err := r.decompress(); err != nil {
		return nil, errors.Join(s.wrap(fmt.Errorf("is damaged: %w", err)), file.Close())
	}
	if head, _ := r.Peek(3); string(head) == "\ufeff" {
		_, err = r.Discard(3)
	}
	return r, err
}

type sourceReader struct {
	*bufio.Reader
	file *os.File
	zstd *zstd.Decoder // nil unless the file is compressed with Zstandard
}

// decompress makes r read what a file holds that gzip or Zstandard has compressed.
func (r *sourceReader) decompress() error {
	var plain io.Reader
	switch head, _ := r.Peek(4); {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		unzipped, err := gzip.NewReader(r.Reader)
		if err != nil {
			return err
		}
		plain = unzipped
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		d, err := zstd.NewReader(r.Reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return err
		}
		r.zstd, plain = d, d
	default:
		return nil
	}
	r.Reader = bufio.NewReaderSize(plain, 1<<16)
	return nil
}

func (r *sourceReader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	return r.file.Close()
}

// isBinary looks for a NUL near the start, as grep and git do. Formats that herd knows are not
// binary in this sense.
func (r *sourceReader) isBinary() (bool, error) {
	head, err := r.Peek(8000)
	if err != nil && err != io.EOF {
		return false, fmt.Errorf("cannot be read: %w", err)
	}
	for _, known := range [][]byte{arrowFile, arrowStream, parquetFile} {
		if bytes.HasPrefix(head, known) {
			return false, nil
		}
	}
	return bytes.IndexByte(head, 0) >= 0, nil
}
