package train_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/internal/testmodel"
)

func config() model.Config {
	return testmodel.Shape{Vocab: 40, Hidden: 16, Intermediate: 32, Layers: 2, Heads: 2, Positions: 64, InitRange: 0.1, Tied: true}.Config()
}

// counting returns rows that count up from a random start, which a model learns easily.
func counting(n int) []pack.Example {
	rng := rand.New(rand.NewPCG(4, 2))
	var rows []pack.Example
	for i := range n {
		ids := make([]token.ID, 4+rng.IntN(20))
		ids[0] = token.ID(rng.IntN(40))
		for k := range ids[1:] {
			ids[k+1] = (ids[k] + 1) % 40
		}
		rows = append(rows, pack.Text("row-"+string(rune('a'+i%26)), ids))
	}
	return rows
}

func task(t testing.TB, dir string) train.Task {
	t.Helper()
	p := testmodel.Random(t, config(), 1)
	s := train.Defaults()
	s.Steps, s.BatchTokens, s.MicroTokens, s.LearningRate, s.WarmupSteps, s.CheckpointEvery, s.Seed = 30, 100, 50, 1e-2, 3, 4, 9
	return train.Task{
		Settings: s, Params: p, Examples: counting(60), Loss: model.CrossEntropy,
		Dir: dir, Manifest: run.Manifest{Stage: "pretrain", Digest: "settings and data"},
	}
}

// weights returns the content of a run's model file.
func weights(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unbroken returns the weights of an uninterrupted run.
func unbroken(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := train.Run(t.Context(), task(t, dir)); err != nil {
		t.Fatal(err)
	}
	return weights(t, dir)
}

func TestLearns(t *testing.T) {
	var losses []float64
	job := task(t, t.TempDir())
	job.Report = func(p train.Progress) { losses = append(losses, p.Loss) }
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if len(losses) != 30 || losses[0] < 3 || losses[29] > losses[0]/2 {
		t.Errorf("losses %v: expected a fall by half in 30 steps", losses)
	}
	if _, err := os.Stat(filepath.Join(job.Dir, "checkpoint")); err == nil {
		t.Error("a finished run left its checkpoint behind")
	}
	lines, err := os.ReadFile(filepath.Join(job.Dir, "metrics.jsonl"))
	if n := bytes.Count(lines, []byte("\n")); err != nil || n != 30 {
		t.Errorf("metrics.jsonl has %d lines (%v), want 30", n, err)
	}
}

// TestSaveDType: herd rounds only the finished model, not the checkpoint from which a stopped
// run resumes.
func TestSaveDType(t *testing.T) {
	dir, want := t.TempDir(), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	job := task(t, dir)
	job.Settings.SaveDType = "bfloat16"
	job.Report = func(p train.Progress) {
		if p.Step == 7 {
			stop()
		}
	}
	var stopped *run.Interrupted
	if err := train.Run(ctx, job); !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	job = task(t, dir)
	job.Settings.SaveDType, job.Resume = "bfloat16", true
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	job = task(t, want)
	if err := errors.Join(train.Run(t.Context(), job), job.Params.SaveAs(want, "bfloat16")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, dir), weights(t, want)) {
		t.Error("the weights are not those of an unbroken run, rounded at the end")
	}
}

// TestResumeAfterStop stops a run after each of several steps, between checkpoints and at one,
// and resumes it: the weights must be the same bytes.
func TestResumeAfterStop(t *testing.T) {
	want := unbroken(t)
	for _, at := range []int{1, 4, 7, 29} {
		dir := t.TempDir()
		ctx, stop := context.WithCancel(t.Context())
		job := task(t, dir)
		job.Report = func(p train.Progress) {
			if p.Step == at {
				stop()
			}
		}
		err := train.Run(ctx, job)
		var stopped *run.Interrupted
		if !errors.As(err, &stopped) || stopped.Step != at || !strings.Contains(err.Error(), "progress is saved in "+dir) {
			t.Fatalf("stopped at %d: %v", at, err)
		}
		if err := train.Run(t.Context(), task(t, dir)); !errors.As(err, new(*run.Occupied)) || !strings.Contains(err.Error(), fmt.Sprintf("stopped after step %d: resume it", at)) {
			t.Errorf("a stopped run was replaced without Overwrite: %v", err)
		}
		job = task(t, dir)
		job.Resume = true
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, dir), want) {
			t.Errorf("stopped at step %d and resumed: other weights", at)
		}
		lines, _ := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
		if n := bytes.Count(lines, []byte("\n")); n != 30 {
			t.Errorf("stopped at step %d and resumed: metrics.jsonl has %d lines, want 30", at, n)
		}
	}
}

// TestResumeRecomputing stops a run that keeps its activations and resumes it with
// recomputation, and the other way round: the weights must be the same.
func TestResumeRecomputing(t *testing.T) {
	want := unbroken(t)
	for _, order := range [][2]model.Recompute{{model.RecomputeNone, model.RecomputeLayer}, {model.RecomputeLayer, model.RecomputeNone}} {
		dir := t.TempDir()
		ctx, stop := context.WithCancel(t.Context())
		job := task(t, dir)
		job.Settings.Recompute = order[0]
		job.Report = func(p train.Progress) {
			if p.Step == 7 {
				stop()
			}
		}
		if err := train.Run(ctx, job); !errors.As(err, new(*run.Interrupted)) {
			t.Fatalf("not stopped: %v", err)
		}
		job = task(t, dir)
		job.Settings.Recompute, job.Resume = order[1], true
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(weights(t, dir), want) {
			t.Errorf("recompute %v, then %v: other weights", order[0], order[1])
		}
	}
}

// TestDigests: a run's digest covers the settings that change the weights, and no others.
func TestDigests(t *testing.T) {
	digest := func(change func(*train.Settings)) string {
		s := train.Defaults()
		change(&s)
		m, err := run.NewManifest("sft", s, nil)
		if err != nil {
			t.Fatal(err)
		}
		return m.Digest
	}
	plain := digest(func(*train.Settings) {})
	if digest(func(s *train.Settings) { s.Recompute, s.CheckpointEvery = model.RecomputeLayer, 7 }) != plain {
		t.Error("recompute or checkpoint_every change the digest")
	}
	if digest(func(s *train.Settings) { s.Precision = kernel.BF16 }) == plain {
		t.Error("precision does not change the digest")
	}
	if digest(func(s *train.Settings) { s.SaveDType = "float16" }) == plain {
		t.Error("save_dtype does not change the digest")
	}
}

// TestModelDigest: the digest of a model covers every file that affects its answers.
func TestModelDigest(t *testing.T) {
	dir := t.TempDir()
	seen := make(map[string]string)
	for _, name := range []string{"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := run.NewManifest("sft", nil, run.Inputs{"model": {dir}})
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[m.Digest]; ok {
			t.Errorf("%s does not change the digest after %s", name, before)
		}
		seen[m.Digest] = name
	}
}

// TestPrecision: the loop trains in the precision of the settings.
func TestPrecision(t *testing.T) {
	job := task(t, t.TempDir())
	job.Settings.Steps, job.Settings.Precision = 1, kernel.BF16
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if job.Params.Precision != kernel.BF16 {
		t.Errorf("trained in %v, want bf16", job.Params.Precision)
	}
}

// TestResumeAfterKill kills a run at random moments until it ends by itself.
func TestResumeAfterKill(t *testing.T) {
	if dir := os.Getenv("HERD_TEST_TRAIN"); dir != "" {
		job := task(t, dir)
		job.Resume = true
		job.Report = func(train.Progress) { time.Sleep(20 * time.Millisecond) }
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, dir := unbroken(t), t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills := 0
	for !finished(dir) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+rng.IntN(150))*time.Millisecond)
		if kills > 12 { // enough: let it end
			ctx = t.Context()
		}
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestResumeAfterKill$")
		cmd.Env = append(os.Environ(), "HERD_TEST_TRAIN="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil && ctx.Err() == nil {
			t.Fatalf("after %d kills: %v\n%s", kills, err, out)
		}
		if ctx.Err() != nil {
			kills++
		}
		cancel()
	}
	t.Logf("killed %d times", kills)
	if kills < 2 {
		t.Errorf("killed only %d times: the test shows nothing", kills)
	}
	if !bytes.Equal(weights(t, dir), want) {
		t.Errorf("killed %d times and resumed: other weights", kills)
	}
}

func finished(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, run.ManifestName))
	return err == nil
}

// TestResumeNotices plants changes that would make a resumed run differ.
func TestResumeNotices(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	job := task(t, dir)
	job.Report = func(p train.Progress) {
		if p.Step == 5 {
			stop()
		}
	}
	if err := train.Run(ctx, job); err == nil {
		t.Fatal("not stopped")
	}
	job = task(t, dir)
	job.Resume, job.Manifest.Digest = true, "other settings"
	if err := train.Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("resumed with other settings: %v", err)
	}
	state := filepath.Join(dir, "checkpoint", "model.safetensors")
	b, _ := os.ReadFile(state)
	if err := os.WriteFile(state, b[:len(b)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	job = task(t, dir)
	job.Resume = true
	if err := train.Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("resumed from a truncated checkpoint: %v", err)
	}
}

func TestRefusesToOverwrite(t *testing.T) {
	dir := t.TempDir()
	if err := train.Run(t.Context(), task(t, dir)); err != nil {
		t.Fatal(err)
	}
	before := weights(t, dir)
	job := task(t, dir)
	job.Settings.Seed++
	if err := train.Run(t.Context(), job); !errors.As(err, new(*run.Occupied)) || !strings.Contains(err.Error(), "holds a model (herd.json): choose another directory, or overwrite it") {
		t.Errorf("a finished model was overwritten: %v", err)
	}
	if !bytes.Equal(before, weights(t, dir)) {
		t.Error("a refused run changed the model")
	}
	job.Overwrite = true
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(before, weights(t, dir)) {
		t.Error("another seed gives the same model: the comparison shows nothing")
	}
}

// TestLocked: training refuses a directory in which another run works, and leaves no lock.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	job := task(t, dir)
	var inside error
	job.Report = func(p train.Progress) {
		if p.Step == 2 {
			second := task(t, dir)
			second.Resume, second.Overwrite = true, true
			inside = train.Run(t.Context(), second)
		}
	}
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	var busy *run.InUse
	if !errors.As(inside, &busy) || !strings.Contains(busy.Holder, fmt.Sprintf("process %d on ", os.Getpid())) {
		t.Errorf("a second run in the directory: %v", inside)
	}
	if _, err := os.Stat(filepath.Join(dir, run.LockName)); err == nil {
		t.Error("the lock is still there")
	}
	if !bytes.Equal(weights(t, dir), unbroken(t)) {
		t.Error("the second run changed the weights")
	}
}

// TestDiverges makes the weights NaN in the middle of a run: it stops with an error that names
// the step and the rows, and the checkpoint before it is intact.
func TestDiverges(t *testing.T) {
	dir := t.TempDir()
	job := task(t, dir)
	job.Report = func(p train.Progress) {
		if p.Step == 6 {
			job.Params.Layers[0].QKV.W[3] = float32(math.NaN())
		}
	}
	err := train.Run(t.Context(), job)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"step 7", "row-", "step 4"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	job = task(t, dir)
	job.Resume = true
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(weights(t, dir), unbroken(t)) {
		t.Error("resumed from before the divergence: other weights")
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*train.Task)
		want  string
	}{
		"no rows":         {func(j *train.Task) { j.Examples = nil }, "no examples"},
		"row without aim": {func(j *train.Task) { j.Examples[3].Prompt.Weight = nil }, "nothing to learn"},
		"beyond a window": {func(j *train.Task) {
			window := 4
			j.Params.Config.ModelType, j.Params.Config.SlidingWindow = "mistral", &window
		}, "sliding window of 4"},
		"long row":         {func(j *train.Task) { j.Settings.MicroTokens = 4 }, "micro-batch"},
		"unknown schedule": {func(j *train.Task) { j.Settings.Schedule = "square" }, "square"},
		"unknown dtype":    {func(j *train.Task) { j.Settings.SaveDType = "int4" }, "save_dtype is \"int4\""},
		"no steps":         {func(j *train.Task) { j.Settings.Steps, j.Settings.Epochs = 0, 0 }, "epochs"},
		"NaN rate":         {func(j *train.Task) { j.Settings.LearningRate = math.NaN() }, "learning_rate"},
	} {
		job := task(t, filepath.Join(t.TempDir(), "out"))
		c.spoil(&job)
		if err := train.Run(t.Context(), job); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
		if _, err := os.Stat(job.Dir); err == nil {
			t.Errorf("%s: the output directory was made all the same", name)
		}
	}
}

// TestMicroBatches trains the same steps in one micro-batch and in many.
func TestMicroBatches(t *testing.T) {
	var runs [][]float64
	for _, micro := range []int{100, 30} {
		job := task(t, t.TempDir())
		job.Settings.MicroTokens = micro
		var losses []float64
		job.Report = func(p train.Progress) { losses = append(losses, p.Loss) }
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, losses)
	}
	for i := range runs[0] {
		if d := math.Abs(runs[0][i] - runs[1][i]); d > 1e-3 {
			t.Fatalf("step %d: losses %v and %v", i+1, runs[0][i], runs[1][i])
		}
	}
	if slices.Equal(runs[0], runs[1]) {
		t.Log("equal to the bit")
	}
}
