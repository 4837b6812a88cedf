package train

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// metricsFile is metrics.jsonl, with one Progress a line.
type metricsFile struct {
	f   *os.File
	enc *json.Encoder
}

// openMetrics opens path for appending and keeps the lines of the first steps steps: a resumed
// run repeats the steps after the last checkpoint.
func openMetrics(path string, steps int) (*metricsFile, error) {
	keep, err := metricsPrefix(path, steps)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if err := errors.Join(f.Truncate(keep), seekEnd(f)); err != nil {
		f.Close()
		return nil, fmt.Errorf("train: %w", err)
	}
	return &metricsFile{f, json.NewEncoder(f)}, nil
}

func seekEnd(f *os.File) error {
	_, err := f.Seek(0, 2)
	return err
}

// metricsPrefix returns the length in bytes of the lines of the first steps steps.
func metricsPrefix(path string, steps int) (int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var keep int64
	for lines := bufio.NewReader(f); ; {
		line, err := lines.ReadBytes('\n') // io.EOF: the line has no end, or there is none
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		var p Progress
		if err != nil || json.Unmarshal(line, &p) != nil || p.Step > steps {
			return keep, nil
		}
		keep += int64(len(line))
	}
}

func (m *metricsFile) write(p Progress) error {
	if err := m.enc.Encode(p); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

func (m *metricsFile) Close() error { return m.f.Close() }
