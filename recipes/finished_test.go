package recipes

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/run"
)

// contentsOf returns the content of each file below dir.
func contentsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReplaces: a recipe replaces no results of other settings or data. It says what differs, and
// changes no file.
func TestReplaces(t *testing.T) {
	dir := t.TempDir()
	runTiny(t, tiny(t), dir)
	before := contentsOf(t, dir)
	for _, c := range []struct {
		name string
		sets []string
		want []string // stage: change
		not  string
	}{
		{"one setting", []string{"dpo.beta=0.3"}, []string{"\ndpo: beta was 0.1 and is 0.3\n"}, "stages that read"},
		{"a text", []string{"sft-best.schedule=linear"}, []string{"\nsft-best: schedule was \"cosine\" and is \"linear\"\n", "results: dpo\n"}, "reward"},
		{"stages before others", []string{"reward.epochs=2", "rejection.samples=4"},
			[]string{"\nreward: epochs was 1 and is 2\n", "\nrejection: samples was 3 and is 4\n"}, "sft"},
		{"the recipe's seed", []string{"seed=8"}, []string{"\ndata: data.world.seed was 3 and is 8\n", "\nbase: seed was 3 and is 8\n", "\ndpo: seed was 3 and is 8\n"}, ""},
		{"the data", []string{"data.world.chats=25"}, []string{"\ndata: data.world.chats was 24 and is 25\n", "results: base, sft, reward, rejection, sft-best, dpo\n"}, ""},
		{"what to pick", []string{"rejection.pick.rule=threshold", "rejection.pick.threshold=0.5"},
			[]string{"\nrejection: pick.rule was \"best\" and is \"threshold\", pick.threshold was 0 and is 0.5\n"}, "dpo"},
		{"an adapter", []string{"sft.lora.r=2"}, []string{"\nsft: lora.r was 0 and is 2\n"}, "seed"},
	} {
		_, err := tiny(t, c.sets...).Run(t.Context(), Options{Dir: dir})
		if !errors.As(err, new(*Replaces)) || c.not != "" && strings.Contains(err.Error(), c.not) {
			t.Errorf("%s: error %v, want a *Replaces without %q", c.name, err, c.not)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one that says %q", c.name, err, want)
			}
		}
	}
	for _, same := range [][]string{nil, {"base.checkpoint_every=7"}, {"rejection.slots=3"}, {"dpo.recompute=layer"}} {
		if _, err := tiny(t, same...).Run(t.Context(), Options{Dir: dir}); err != nil {
			t.Errorf("with %v, which affects no result: %v", same, err)
		}
	}
	delete(before, filepath.Join(dir, "recipe.yaml"))
	after := contentsOf(t, dir)
	for path, text := range before {
		if after[path] != text {
			t.Errorf("%s has changed", path)
		}
	}
}

// TestReplacesOldResults: of results whose herd.json stores no settings, herd says what it can.
func TestReplacesOldResults(t *testing.T) {
	dir := t.TempDir()
	runTiny(t, tiny(t), dir)
	m, err := run.ReadManifest(filepath.Join(dir, "dpo"))
	if err != nil {
		t.Fatal(err)
	}
	m.Settings, m.Execution, m.Paths = nil, nil, nil
	if err := run.WriteManifest(filepath.Join(dir, "dpo"), *m); err != nil {
		t.Fatal(err)
	}
	if _, err := tiny(t).Run(t.Context(), Options{Dir: dir}); err != nil {
		t.Errorf("with the same settings: %v", err)
	}
	if _, err := tiny(t, "dpo.beta=0.3").Run(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "dpo: its herd.json is from a herd that stored no settings") {
		t.Errorf("error %v", err)
	}
}

// TestReplacesUnfinished: what a run with other settings did before it stopped counts too.
func TestReplacesUnfinished(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	_, err := tiny(t).Run(ctx, Options{Dir: dir, Report: func(e Event) {
		if e.Stage == "sft" && e.Training != nil && e.Training.Step == 1 {
			stop()
		}
	}})
	if !errors.As(err, new(*run.Interrupted)) {
		t.Fatal(err)
	}
	before := contentsOf(t, dir)
	_, err = tiny(t, "sft.learning_rate=0.5").Run(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "\nsft (a run that stopped after step 1): learning_rate was 0.001 and is 0.5\n") {
		t.Errorf("error %v", err)
	}
	for path, text := range contentsOf(t, dir) {
		if before[path] != text {
			t.Errorf("%s has changed", path)
		}
	}
	if status, _ := runTiny(t, tiny(t, "sft.learning_rate=0.5"), dir); status["sft"] != Done || status["base"] != Skipped {
		t.Errorf("overwriting: %v", status)
	}
}

// TestReplacesAfterAnotherResult: a stage that was made again with another result is no reason to
// replace the stages after it.
func TestReplacesAfterAnotherResult(t *testing.T) {
	dir := t.TempDir()
	runTiny(t, tiny(t), dir)
	if err := os.RemoveAll(filepath.Join(dir, "base")); err != nil {
		t.Fatal(err)
	}
	if status, _ := runTinyOnly(t, tiny(t), dir); status["base"] != Done || status["sft"] != Skipped {
		t.Errorf("a stage that was removed: %v", status)
	}
	if err := os.RemoveAll(filepath.Join(dir, "base")); err != nil {
		t.Fatal(err)
	}
	before := contentsOf(t, filepath.Join(dir, "sft"))
	_, err := tiny(t, "base.learning_rate=0.001").Run(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "\nsft: the content of model[0] (") {
		t.Errorf("error %v, want one about the model that sft read", err)
	}
	for path, text := range contentsOf(t, filepath.Join(dir, "sft")) {
		if before[path] != text {
			t.Errorf("%s has changed", path)
		}
	}
}

// runTinyOnly is runTiny without overwriting.
func runTinyOnly(t *testing.T, r *Recipe, dir string) (map[string]Status, error) {
	t.Helper()
	status := make(map[string]Status)
	_, err := r.Run(t.Context(), Options{Dir: dir, Report: func(e Event) {
		if e.Status != Running && e.Status != Testing {
			status[e.Stage] = e.Status
		}
	}})
	return status, err
}

// TestRunInUse: two processes do not run a recipe in one directory.
func TestRunInUse(t *testing.T) {
	dir := t.TempDir()
	lock, err := run.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tiny(t).Run(t.Context(), Options{Dir: dir, Overwrite: true}); !errors.As(err, new(*run.InUse)) || !strings.Contains(err.Error(), "process ") {
		t.Errorf("error %v, want *run.InUse with the process", err)
	}
	lock.Release()
	if left := contentsOf(t, dir); len(left) > 0 {
		t.Errorf("it wrote %d files", len(left))
	}
}

// TestManifestHasSettings: herd.json stores all settings, as JSON.
func TestManifestHasSettings(t *testing.T) {
	dir := t.TempDir()
	runTiny(t, tiny(t), dir)
	b, err := os.ReadFile(filepath.Join(dir, "dpo", run.ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Settings  map[string]any
		Execution map[string]any
		Paths     map[string]any
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Abs(filepath.Join(dir, "sft-best"))
	if err != nil {
		t.Fatal(err)
	}
	if m.Settings["beta"] != 0.1 || m.Settings["seed"] != 3.0 || m.Settings["precision"] != "fp32" || m.Execution["recompute"] != "none" ||
		m.Paths["model"] != base || m.Paths["out"] != nil || m.Settings["model"] != nil {
		t.Errorf("settings %v\nexecution %v\npaths %v", m.Settings, m.Execution, m.Paths)
	}
}

// TestRunRecipeOfRun: the recipe.yaml of a run is the same recipe: nothing is made again.
func TestRunRecipeOfRun(t *testing.T) {
	dir := t.TempDir()
	runTiny(t, tiny(t), dir)
	r, err := Load(filepath.Join(dir, "recipe.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	status, err := runTinyOnly(t, r, dir)
	for name, s := range status {
		if s != Skipped {
			t.Errorf("%s is %q, want skipped", name, s)
		}
	}
	if err != nil || len(status) != 7 || r.Name != "tiny" {
		t.Errorf("recipe %s: %v, %v", r.Name, status, err)
	}
}
