package train_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/train"
)

// TestKilledAfterCheckpoint: a process that dies right after it wrote a checkpoint, or within a line
// of metrics.jsonl, loses no step there: the resumed run has each step once. The copy of the
// directory is what such a process leaves.
func TestKilledAfterCheckpoint(t *testing.T) {
	for _, within := range []string{"", `{"step":`} {
		dir := filepath.Join(t.TempDir(), "left")
		job := task(t, t.TempDir())
		job.Report = func(p train.Progress) {
			if !p.Checkpointed {
				return
			}
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(dir, os.DirFS(job.Dir)); err != nil {
				t.Fatal(err)
			}
		}
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "metrics.jsonl")
		lines, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(lines, within...), 0o666); err != nil {
			t.Fatal(err)
		}
		job = task(t, dir)
		job.Resume = true
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		lines, err = os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range bytes.Split(bytes.TrimSpace(lines), []byte("\n")) {
			if !strings.Contains(string(line), `"step":`+strconv.Itoa(i+1)+",") {
				t.Errorf("after %q, line %d is %s", within, i+1, line)
				break
			}
		}
	}
}

// TestHalfLine: a last line without its end is written again, and leaves no byte behind.
func TestHalfLine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "metrics.jsonl"), []byte(`{"step":0}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := train.Run(t.Context(), task(t, dir)); err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil || bytes.IndexByte(lines, 0) >= 0 || bytes.Count(lines, []byte("\n")) != 30 {
		t.Errorf("metrics.jsonl begins with %.20q (%v)", lines, err)
	}
}
