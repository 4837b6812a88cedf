package train_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
)

// profileRows reads the table in dir and returns its rows in order, and the seconds of each.
func profileRows(t *testing.T, dir string) (names []string, seconds map[string]float64) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, train.ProfileTable))
	if err != nil {
		t.Fatal(err)
	}
	seconds = make(map[string]float64)
	for line := range strings.Lines(string(b)) {
		cells := strings.Fields(line)
		if len(cells) != 9 || !strings.HasSuffix(cells[2], "%") {
			continue
		}
		if seconds[cells[0]], err = strconv.ParseFloat(cells[1], 64); err != nil {
			t.Fatalf("row %q: %v", line, err)
		}
		names = append(names, cells[0])
	}
	return names, seconds
}

// profiled runs the task with a profile. The metrics of each micro-batch sleep for a while. It
// returns the number of these calls, the time of the steps until the last report, and the time
// from there to the end.
func profiled(t *testing.T, job train.Task) (naps int, steps, rest float64) {
	t.Helper()
	var last time.Time
	job.Profile = true
	job.Metrics = func(*token.Batch, *model.Result, *train.Meter) {
		naps++
		time.Sleep(nap)
	}
	job.Report = func(p train.Progress) { steps, last = float64(p.Tokens)/p.TokensPerS, time.Now() }
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	return naps, steps, time.Since(last).Seconds()
}

const nap = 2 * time.Millisecond

// TestProfile: the rows describe the loop's work and sum to the time of the steps as measured
// from outside. The weights are the same as without a profile.
func TestProfile(t *testing.T) {
	job := task(t, t.TempDir())
	job.Settings.CheckpointEvery = 20
	naps, steps, rest := profiled(t, job)
	if !bytes.Equal(weights(t, job.Dir), unbroken(t)) {
		t.Error("a run with a profile has other weights")
	}
	if b, err := os.ReadFile(filepath.Join(job.Dir, train.ProfileCPU)); err != nil || !bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		t.Errorf("the profile of the processor is %d bytes, error %v: not gzip", len(b), err)
	}

	names, seconds := profileRows(t, job.Dir)
	for _, want := range []string{"qkv_proj", "qkv_proj.grad", "attention", "attention.grad", "swiglu.grad", "cross-entropy", "norm", "embed",
		"batches", "metrics", "optimiser", "checkpoints", "reports", "other"} {
		if !slices.Contains(names, want) {
			t.Errorf("no row %s among %v", want, names)
		}
	}
	if n := len(names); n == 0 || names[n-1] != "total" {
		t.Fatalf("rows %v, want the total last", names)
	}
	sum := -seconds["total"]
	for i, name := range names {
		sum += seconds[name]
		if i > 0 && name != "total" && seconds[name] > seconds[names[i-1]] {
			t.Errorf("%s comes after %s, which took less", name, names[i-1])
		}
	}
	if rounding := 0.0005 * float64(len(names)); math.Abs(sum-seconds["total"]) > rounding {
		t.Errorf("the rows sum to %.3f s, the total is %.3f s", sum, seconds["total"])
	}
	if total := seconds["total"]; total < steps-0.001 || total > steps+rest {
		t.Errorf("%.3f s in total, %.3f s when the last step was reported and %.3f s to the end", total, steps, rest)
	}
	if slept := seconds["metrics"]; slept < float64(naps)*nap.Seconds() {
		t.Errorf("%d naps of %v took %.3f s", naps, nap, slept)
	}
}

// stopAt resumes the task with a profile and stops it after a step, as Ctrl-C does. It writes
// no other checkpoint, and returns the error.
func stopAt(t *testing.T, job train.Task, step int) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	job.Profile, job.Resume, job.Settings.CheckpointEvery = true, true, 0
	job.Report = func(p train.Progress) {
		if p.Step == step {
			stop()
		}
	}
	err := train.Run(ctx, job)
	var stopped *run.Interrupted
	if errors.As(err, &stopped) != (step < job.Settings.Steps) {
		t.Errorf("stopped after step %d of %d: error %v", step, job.Settings.Steps, err)
	}
	return err
}

// TestProfileOfPart: a stopped run has a profile of its steps, and so has the session that
// resumes it.
func TestProfileOfPart(t *testing.T) {
	dir := t.TempDir()
	for _, session := range []struct {
		step int
		want string
	}{{7, "pretrain, steps 1 to 7 of 30: "}, {30, "pretrain, steps 8 to 30 of 30: "}} {
		stopAt(t, task(t, dir), session.step)
		b, err := os.ReadFile(filepath.Join(dir, train.ProfileTable))
		if err != nil || !strings.HasPrefix(string(b), session.want) {
			t.Errorf("table %q, error %v, want one that begins %q", b, err, session.want)
		}
	}
}

// TestProfileNotWritten: if the profile cannot be written, a stopped run still has its
// checkpoint and a finished run its model.
func TestProfileNotWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, train.ProfileTable, "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{7, 30} {
		err := stopAt(t, task(t, dir), step)
		if err == nil || !strings.Contains(err.Error(), train.ProfileTable) || !strings.Contains(err.Error(), "the run is saved, but not its profile") {
			t.Errorf("error %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, train.ProfileCPU)); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(weights(t, dir), unbroken(t)) {
		t.Error("other weights than those of a run without a profile")
	}
}

// TestProfileTwice: only one CPU profile can run at a time. The loop reports that before its
// first step.
func TestProfileTwice(t *testing.T) {
	outer := task(t, t.TempDir())
	outer.Profile = true
	var err error
	outer.Report = func(p train.Progress) {
		if p.Step == 1 {
			inner := task(t, t.TempDir())
			inner.Profile = true
			inner.Report = func(train.Progress) { t.Error("it did a step") }
			err = train.Run(t.Context(), inner)
		}
	}
	if err := train.Run(t.Context(), outer); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "profil") {
		t.Errorf("error %v", err)
	}
}
