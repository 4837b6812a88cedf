package recipes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/eval"
)

func tiny(t *testing.T, sets ...string) *Recipe {
	t.Helper()
	r, err := Load("testdata/tiny.yaml", config.Assignments("--set", sets...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// runTiny runs the recipe, replacing results of other settings, and returns what happened to each
// stage at the end.
func runTiny(t *testing.T, r *Recipe, dir string) (map[string]Status, eval.Results) {
	t.Helper()
	status := make(map[string]Status)
	results, err := r.Run(t.Context(), Options{Dir: dir, Overwrite: true, Report: func(e Event) {
		if e.Status != Running && e.Status != Testing {
			status[e.Stage] = e.Status
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return status, results
}

func outcome(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"base/model.safetensors", "reward/model.safetensors", "rejection/samples.arrow", "dpo/model.safetensors", ResultsFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// TestRun runs the tiny recipe, again, and again with changes: what is done and
// unchanged is skipped, what depends on a change is not.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	status, results := runTiny(t, tiny(t), dir)
	for _, name := range []string{"data", "base", "sft", "reward", "rejection", "sft-best", "dpo"} {
		if status[name] != Done {
			t.Errorf("first run: %s is %q, want done", name, status[name])
		}
	}
	checkResults(t, results, filepath.Join(dir, ResultsFile))

	first := outcome(t, dir)
	status, _ = runTiny(t, tiny(t), dir)
	for name, s := range status {
		if s != Skipped {
			t.Errorf("second run: %s is %q, want skipped", name, s)
		}
	}
	if !bytes.Equal(first, outcome(t, dir)) {
		t.Error("a run with nothing to do changed something")
	}

	status, _ = runTiny(t, tiny(t, "reward.learning_rate=0.002"), dir)
	for name, want := range map[string]Status{"data": Skipped, "base": Skipped, "sft": Skipped, "reward": Done, "rejection": Done, "sft-best": Skipped} {
		if status[name] != want {
			t.Errorf("with another reward setting: %s is %q, want %q", name, status[name], want)
		}
	}
	status, _ = runTiny(t, tiny(t, "data.world.chats=25"), dir)
	if status["data"] != Done || status["base"] != Skipped || status["sft"] != Done || status["dpo"] != Done {
		t.Errorf("with other chats: %v", status)
	}
}

// TestStagesLeaveNothing: two stages with the same settings plan the same memory,
// though one comes after more stages: nothing of those is kept. A plan counts all
// that the process has taken.
func TestStagesLeaveNothing(t *testing.T) {
	plans := make(map[string]train.Memory)
	_, err := tiny(t).Run(t.Context(), Options{Dir: t.TempDir(), Report: func(e Event) {
		if e.Plan != nil {
			plans[e.Stage] = e.Plan.Memory
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	first, later := plans["sft"], plans["sft-best"]
	if first.Activations < 1<<20 || first.Activations != later.Activations {
		t.Fatalf("sft has %d bytes of activations, sft-best %d", first.Activations, later.Activations)
	}
	if more := later.Planned - first.Planned; more > first.Activations/2 {
		t.Errorf("sft-best plans with %d bytes more than sft", more)
	}
}

// checkResults holds results.json to its schema.
func checkResults(t *testing.T, r eval.Results, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Stages []struct {
			Stage    string
			Measures map[string]struct{ Value, Low, High *float64 }
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"base": {"loss", "bits_per_byte", "accuracy"}, "sft": {"accuracy", "win_rate"}, "reward": {"reward_accuracy"},
		"rejection": {"reward", "sample_accuracy", "picked_accuracy"}, "sft-best": {"accuracy", "win_rate"},
		"dpo": {"accuracy", "win_rate", "preference_accuracy"},
	}
	for i, name := range []string{"base", "sft", "reward", "rejection", "sft-best", "dpo"} {
		if i >= len(file.Stages) || file.Stages[i].Stage != name {
			t.Fatalf("stage %d of %s is not %s", i, b, name)
		}
		for _, m := range want[name] {
			x, ok := file.Stages[i].Measures[m]
			if !ok || x.Value == nil || x.Low == nil || x.High == nil || !(*x.Low <= *x.Value && *x.Value <= *x.High) {
				t.Errorf("%s: measure %s is %+v", name, m, x)
			}
		}
	}
	if len(r.Stages) != len(file.Stages) {
		t.Errorf("%d stages returned, %d written", len(r.Stages), len(file.Stages))
	}
}

// TestRunCutOff stops the run within each kind of stage, and goes on, now with
// activations kept and now with them computed again: the outcome is that of an
// unbroken run, byte by byte.
func TestRunCutOff(t *testing.T) {
	whole := t.TempDir()
	runTiny(t, tiny(t), whole)
	want := outcome(t, whole)

	dir := t.TempDir()
	sparing := []string{"base.recompute=layer", "sft.recompute=layer", "reward.recompute=layer", "dpo.recompute=layer"}
	for _, at := range []struct {
		stage string
		step  int
		sets  []string
	}{{"base", 7, nil}, {"sft", 1, sparing}, {"reward", 2, nil}, {"dpo", 2, sparing}} {
		ctx, stop := context.WithCancel(t.Context())
		_, err := tiny(t, at.sets...).Run(ctx, Options{Dir: dir, Report: func(e Event) {
			if e.Stage == at.stage && e.Training != nil && e.Training.Step == at.step {
				stop()
			}
		}})
		var stopped *run.Interrupted
		if !errors.As(err, &stopped) {
			t.Fatalf("stopped in %s at step %d: %v", at.stage, at.step, err)
		}
	}
	resumed := false
	_, err := tiny(t).Run(t.Context(), Options{Dir: dir, Report: func(e Event) { resumed = resumed || e.Status == Resumed }})
	if err != nil || !resumed {
		t.Fatalf("resumed %v, error %v", resumed, err)
	}
	if !bytes.Equal(want, outcome(t, dir)) {
		t.Error("a run that was cut off four times has another outcome")
	}
}

// TestDamagedCheckpoint: a recipe reports a checkpoint that it cannot read, and keeps it.
func TestDamagedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	_, err := tiny(t).Run(ctx, Options{Dir: dir, Report: func(e Event) {
		if e.Stage == "base" && e.Training != nil && e.Training.Step == 2 {
			stop()
		}
	}})
	if !errors.As(err, new(*run.Interrupted)) {
		t.Fatalf("not stopped: %v", err)
	}
	states, err := filepath.Glob(filepath.Join(dir, "base", "checkpoint", "*", "*.json"))
	if err != nil || len(states) != 1 {
		t.Fatalf("states %v, error %v", states, err)
	}
	if err := os.WriteFile(states[0], []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := tiny(t).Run(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), states[0]) {
		t.Errorf("error %v, want one that names %s", err, states[0])
	}
	if b, err := os.ReadFile(states[0]); err != nil || string(b) != "{" {
		t.Errorf("the checkpoint was replaced: %q, %v", b, err)
	}
}

// TestTooMuchMemory asks for a model of terabytes: refused before anything is made.
func TestTooMuchMemory(t *testing.T) {
	dir := t.TempDir()
	r := tiny(t, "base.architecture.hidden_size=65536", "base.architecture.intermediate_size=262144", "base.architecture.num_hidden_layers=200")
	_, err := r.Run(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "stage base") || !strings.Contains(err.Error(), "of memory") {
		t.Fatalf("error %v, want one that names the stage and the memory", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "base")); err == nil {
		t.Error("a refused stage left a directory")
	}
}

// TestFolderOfText pretrains on a folder of files of several kinds, and notices
// when one of them changes.
func TestFolderOfText(t *testing.T) {
	texts, dir := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(texts, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		write(fmt.Sprintf("note%d.md", i), fmt.Sprintf("# Note %d\n\nThe goat eats leaves, the hen eats corn, the cat eats mice.\n", i))
	}
	write("main.go", "package main\n\nfunc main() { println(42) }\n")
	load := func() *Recipe {
		r, err := Load("shakespeare", config.Assignments("--set", "text.files=["+texts+"]", "base.vocab_size=300", "base.steps=2",
			"base.architecture.hidden_size=16", "base.architecture.num_hidden_layers=1", "base.architecture.intermediate_size=16"))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	status, results := runTiny(t, load(), dir)
	if m := results.Stages[0].Measures; status["base"] != Done || !(m["bits_per_byte"].Value > 0) {
		t.Errorf("status %v, measures %v", status, m)
	}
	if status, _ = runTiny(t, load(), dir); status["data"] != Skipped || status["base"] != Skipped {
		t.Errorf("with nothing changed: %v", status)
	}
	write("main.go", "package main\n")
	if status, _ = runTiny(t, load(), dir); status["data"] != Done || status["base"] != Done {
		t.Errorf("with a changed file: %v", status)
	}
}
