package train_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
)

// TestStoppedInLastWrite: a run without a checkpoint that stops while it writes its model can be
// resumed, and ends with the same weights.
func TestStoppedInLastWrite(t *testing.T) {
	whole := t.TempDir()
	job := task(t, whole)
	job.Settings.CheckpointEvery = 0
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	want := weights(t, whole)
	if left, _ := filepath.Glob(filepath.Join(whole, ".*")); len(left) > 0 {
		t.Errorf("a finished run left %v", left)
	}

	for _, old := range []bool{false, true} { // is there an older model to be replaced?
		dir := t.TempDir()
		if old {
			job := task(t, dir)
			job.Settings.Seed++
			if err := train.Run(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
		// A folder in the place of the weights ends the last write after config.json.
		obstacle := filepath.Join(dir, "model.safetensors")
		job := task(t, dir)
		job.Settings.CheckpointEvery, job.Overwrite = 0, true
		job.Report = func(p train.Progress) {
			if p.Step == p.Steps {
				os.Remove(obstacle)
				if err := os.MkdirAll(filepath.Join(obstacle, "x"), 0o777); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := train.Run(t.Context(), job); err == nil {
			t.Fatal("not stopped")
		}
		if err := os.RemoveAll(obstacle); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "config.json")); err != nil || finished(dir) {
			t.Fatalf("not stopped within the last write: %v, finished %t", err, finished(dir))
		}

		job = task(t, dir)
		var occupied *run.Occupied
		if err := train.Run(t.Context(), job); !errors.As(err, &occupied) || !occupied.Resumable || !strings.Contains(err.Error(), "stopped while it wrote its model") {
			t.Errorf("without resuming: %v", err)
		}
		job.Resume, job.Manifest.Digest = true, "other settings"
		if err := train.Run(t.Context(), job); !errors.As(err, &occupied) || !occupied.Differs {
			t.Errorf("resumed with other settings: %v", err)
		}
		job = task(t, dir)
		job.Resume, job.Settings.CheckpointEvery = true, 0
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, dir), want) || !finished(dir) {
			t.Error("a resumed run has other weights")
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
			t.Errorf("it left %v", left)
		}
	}
}
