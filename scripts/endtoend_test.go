// Package scripts tests the built program from outside, as a user runs it.
package scripts

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/eval"
)

// stages are the stages of the recipe in order, with the measures that each must have.
var stages = []struct {
	name     string
	measures []string
}{
	{"base", []string{"loss", "bits_per_byte", "accuracy", "contains", "well_formed", "concise"}},
	{"sft", []string{"loss", "bits_per_byte", "accuracy", "win_rate"}},
	{"reward", []string{"reward_accuracy"}},
	{"rejection", []string{"reward", "reward/best", "sample_accuracy", "picked_accuracy"}},
	{"sft-best", []string{"loss", "bits_per_byte", "accuracy", "win_rate"}},
	{"dpo", []string{"loss", "bits_per_byte", "accuracy", "win_rate", "preference_accuracy", "preference_margin"}},
}

// TestEndToEnd runs all stages of a tiny recipe through the program that the environment
// variable HERD names, and then uses the results:
//
//	go build -o /tmp/herd ./cmd/herd && HERD=/tmp/herd go test -count=1 ./scripts
func TestEndToEnd(t *testing.T) {
	h := program{t: t, path: os.Getenv("HERD")}
	if h.path == "" {
		t.Skip("set HERD to the path of the program to check")
	}
	recipe, err := filepath.Abs(filepath.Join("..", "recipes", "testdata", "tiny.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h.dir = t.TempDir()
	run := []string{"run", recipe, "--out", "run"}

	t.Run("all stages", func(t *testing.T) {
		h := h.in(t)
		h.says(": done in ", 1+len(stages), run...)
		checkResults(t, h.read("run/results.json"))
		checkTraining(t, h)
	})
	if t.Failed() {
		return
	}
	t.Run("again", func(t *testing.T) {
		h := h.in(t)
		before := h.read("run/results.json")
		h.says(": skipped", 1+len(stages), run...)
		if !bytes.Equal(before, h.read("run/results.json")) {
			t.Error("a run that has nothing to do changed results.json")
		}
	})
	t.Run("with a change", func(t *testing.T) {
		changed := append(slices.Clone(run), "--set", "dpo.beta=0.3", "--overwrite")
		h.in(t).says(": skipped", len(stages), changed...) // the data and all stages but dpo
	})
	t.Run("models", func(t *testing.T) { checkModels(h.in(t)) })
	t.Run("tables", func(t *testing.T) { checkTables(h.in(t)) })
	t.Run("errors", func(t *testing.T) { checkErrors(h.in(t)) })
}

// checkResults: the stages are in order, each with its measures, and these are
// numbers within their intervals.
func checkResults(t *testing.T, file []byte) {
	var results eval.Results
	if err := json.Unmarshal(file, &results); err != nil {
		t.Fatal(err)
	}
	if len(results.Stages) != len(stages) {
		t.Fatalf("%d stages in the results, want %d", len(results.Stages), len(stages))
	}
	for i, want := range stages {
		got := results.Stages[i]
		if got.Stage != want.name {
			t.Errorf("stage %d is %s, want %s", i+1, got.Stage, want.name)
		}
		for _, name := range want.measures {
			if _, ok := got.Measures[name]; !ok {
				t.Errorf("%s has no %s", want.name, name)
			}
		}
		for name, m := range got.Measures {
			if !(m.Low <= m.Value && m.Value <= m.High) || m.N < 1 {
				t.Errorf("%s: %s is %+v: expected low <= value <= high, of one or more", want.name, name, m)
			}
		}
	}
	const vocabulary = 400 // vocab_size of the recipe
	if loss := results.Stages[0].Measures["loss"].Value; !(loss > 0 && loss < math.Log(vocabulary)) {
		t.Errorf("held-out loss of the base model is %.3f, guessing gives %.3f", loss, math.Log(vocabulary))
	}
	samples := results.Stages[3].Measures
	if mean, best := samples["reward"].Value, samples["reward/best"].Value; !(best >= mean) {
		t.Errorf("the best samples have reward %g, all of them %g", best, mean)
	}
}

// checkTraining: rewards of chosen and rejected start equal, and DPO drives them apart.
func checkTraining(t *testing.T, h program) {
	var first, last struct {
		Loss    float64
		Metrics map[string]float64
	}
	lines := bytes.Split(bytes.TrimSpace(h.read("run/dpo/metrics.jsonl")), []byte("\n"))
	if err := json.Unmarshal(lines[0], &first); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil {
		t.Fatal(err)
	}
	if m := first.Metrics["rewards/margins"]; m != 0 {
		t.Errorf("DPO starts with margin %g: policy and reference are one model", m)
	}
	if m := last.Metrics["rewards/margins"]; !(m > 0) {
		t.Errorf("DPO ends with margin %g, expected more than 0", m)
	}
}

// checkModels uses the models of the run.
func checkModels(h program) {
	t := h.t
	greedy := []string{"generate", "--model", "run/dpo", "--prompt", "The", "--max-tokens", "8", "--json"}
	var answer struct{ IDs []int }
	h.decode(&answer, greedy...)
	if len(answer.IDs) == 0 || len(answer.IDs) > 8 {
		t.Errorf("generate gave %d tokens, want 1 to 8", len(answer.IDs))
	}
	one := h.output(append(greedy, "--threads", "1")...)
	if three := h.output(append(greedy, "--threads", "3")...); one != three {
		t.Errorf("one thread generates %s, three generate %s", one, three)
	}

	h.write("texts.jsonl", `{"tokens":[5,6,7,8]}`+"\n"+`{"text":"The herd."}`+"\n")
	var line struct {
		LogProbs []float64
		Sum      float64
		Reward   *float64
	}
	h.decode(&line, "score", "--model", "run/base", "--in", "texts.jsonl")
	var sum float64
	for _, x := range line.LogProbs {
		sum += x
	}
	if len(line.LogProbs) != 3 || !(sum < 0) || math.Abs(sum-line.Sum) > 1e-4*math.Abs(sum) {
		t.Errorf("score of 4 tokens: %+v", line)
	}
	h.decode(&line, "score", "--model", "run/reward", "--in", "texts.jsonl")
	if line.Reward == nil {
		t.Error("a reward model gives no reward")
	}
	h.says("LlamaForCausalLM", 1, "model", "info", "run/dpo")
	h.says("LlamaForSequenceClassification", 1, "model", "info", "run/reward")
}

// checkTables reads the tables of the run, and exports and imports one.
func checkTables(h program) {
	h.says("=== row ", 2, "data", "show", "run/rejection/samples.arrow", "--rows", "2")
	h.says("16 samples", 1, "data", "stats", "run/rejection/samples.arrow")
	lines := h.output("data", "export", "run/data/preferences.arrow")
	h.write("preferences.jsonl", lines)
	h.says("wrote again.arrow", 1, "data", "import", "preferences.jsonl", "--out", "again.arrow")
	if again := h.output("data", "export", "again.arrow"); again != lines {
		h.t.Error("a table exported and imported again is another one")
	}
	if ids := h.output("tokenizer", "encode", "--model", "run/base", "née 12"); h.output("tokenizer", "decode", "--model", "run/base", ids) != "née 12" {
		h.t.Errorf("the tokens %s are another text", ids)
	}
}

// checkErrors: commands that cannot work print an error and exit with a code other than 0.
func checkErrors(h program) {
	h.write("not-a-model/config.json", "{}")
	h.write("broken.jsonl", "{\"text\":\"a\"}\n{\"text\":\n")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{1, "missing.yaml", []string{"run", "missing.yaml"}},
		{1, "config.json", []string{"model", "info", "not-a-model"}},
		{1, "broken.jsonl", []string{"data", "import", "broken.jsonl", "--out", "broken.arrow"}},
		{1, "already holds a model", []string{"sft", "--model", "run/base", "--data", "run/data/chats.arrow", "--out", "run/sft"}},
		{1, "learning_rate", []string{"sft", "--model", "run/base", "--data", "run/data/chats.arrow", "--out", "new", "--set", "learning_rat=1"}},
		{2, "did you mean", []string{"pretrian"}},
	} {
		var stderr bytes.Buffer
		cmd := h.command(c.args...)
		cmd.Stderr = &stderr
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(stderr.String(), c.says) {
			h.t.Errorf("herd %s: exit code %d and %q, want %d and %q", strings.Join(c.args, " "), code, stderr.String(), c.code, c.says)
		}
	}
	for _, unwanted := range []string{"broken.arrow", "new"} {
		if _, err := os.Stat(filepath.Join(h.dir, unwanted)); err == nil {
			h.t.Errorf("%s was written by a command that failed", unwanted)
		}
	}
}

// program runs herd in a directory.
type program struct {
	t         *testing.T
	path, dir string
}

// in returns h reporting its failures to t.
func (h program) in(t *testing.T) program { h.t = t; return h }

func (h program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(h.path, args...)
	cmd.Dir = h.dir
	return cmd
}

// output runs a command that must succeed.
func (h program) output(args ...string) string {
	h.t.Helper()
	var stderr bytes.Buffer
	cmd := h.command(args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("herd %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// says runs a command whose output must contain text n times.
func (h program) says(text string, n int, args ...string) {
	h.t.Helper()
	if out := h.output(args...); strings.Count(out, text) != n {
		h.t.Errorf("herd %s: %q is there %d times, want %d:\n%s", strings.Join(args, " "), text, strings.Count(out, text), n, out)
	}
}

// decode runs a command whose first line is JSON.
func (h program) decode(dst any, args ...string) {
	h.t.Helper()
	if err := json.NewDecoder(strings.NewReader(h.output(args...))).Decode(dst); err != nil {
		h.t.Fatalf("herd %s: %v", strings.Join(args, " "), err)
	}
}

func (h program) read(name string) []byte {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (h program) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		h.t.Fatal(err)
	}
}
