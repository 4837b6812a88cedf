package stage_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/stage"
)

// settings are the settings of a stage called graze, with the errors of its methods.
type settings struct{ invalid, unreadable error }

func (s settings) Validate() error { return s.invalid }
func (s settings) Manifest() (run.Manifest, error) {
	return run.Manifest{Stage: "graze"}, s.unreadable
}

// TestTrain: Train returns the first error, prefixed with the stage's name if it does not begin
// with it, and calls nothing after it.
func TestTrain(t *testing.T) {
	bad := errors.New("no grass")
	for _, c := range []struct {
		fails, want string
		called      []string
	}{
		{"settings", "no grass", nil},
		{"inputs", "no grass", nil},
		{"tokenizer", "graze: no grass", []string{"tokenizer"}},
		{"examples", "graze: no grass", []string{"tokenizer", "examples"}},
		{"params", "graze: no grass", []string{"tokenizer", "examples", "params"}},
		{"complete", "graze: no grass", []string{"tokenizer", "examples", "params", "complete"}},
		{"loop", "train: steps is -1", []string{"tokenizer", "examples", "params", "complete"}},
	} {
		var called []string
		call := func(name string) error {
			called = append(called, name)
			return failIf(name == c.fails, bad)
		}
		tok := &tokenizer.Tokenizer{}
		from := stage.Source{
			Tokenizer: func() (*tokenizer.Tokenizer, error) { return tok, call("tokenizer") },
			Examples: func(task *train.Task) ([]pack.Example, pack.Count, error) {
				if task.Tokenizer != tok || task.Manifest.Stage != "graze" {
					t.Errorf("%s: examples are made with %+v", c.fails, task)
				}
				return nil, pack.Count{}, call("examples")
			},
			Params:   func(*train.Task) (*model.Params, error) { return nil, call("params") },
			Complete: func(*train.Task) error { return call("complete") },
		}
		s := settings{failIf(c.fails == "settings", bad), failIf(c.fails == "inputs", bad)}
		out := filepath.Join(t.TempDir(), "runs", "out")
		err := stage.Train(t.Context(), s, train.Task{Dir: out, Settings: train.Settings{Steps: -1}}, from)
		if _, err := os.Stat(filepath.Dir(out)); err == nil {
			t.Errorf("%s: a refused stage left %s", c.fails, filepath.Dir(out))
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || !slices.Equal(called, c.called) {
			t.Errorf("%s: error %v after %v, want %q after %v", c.fails, err, called, c.want, c.called)
		}
	}
}

func failIf(fails bool, err error) error {
	if fails {
		return err
	}
	return nil
}

// TestTrainClaimsFirst: a stage computes nothing for a directory that it may not write.
func TestTrainClaimsFirst(t *testing.T) {
	dir := t.TempDir()
	if err := run.WriteManifest(dir, run.Manifest{Stage: "graze"}); err != nil {
		t.Fatal(err)
	}
	none := stage.Source{Tokenizer: func() (*tokenizer.Tokenizer, error) { panic("it began") }}
	if err := stage.Train(t.Context(), settings{}, train.Task{Dir: dir}, none); !errors.As(err, new(*run.Occupied)) {
		t.Errorf("a finished directory: error %v", err)
	}
	lock, err := run.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	task := train.Task{Dir: dir, Options: train.Options{Mode: run.Mode{Overwrite: true}}}
	if err := stage.Train(t.Context(), settings{}, task, none); !errors.As(err, new(*run.InUse)) {
		t.Errorf("a directory in use: error %v", err)
	}
}

// TestLoadingIsFrugal: the limit on garbage is low while examples are made, and only then.
func TestLoadingIsFrugal(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	loading := 0
	from := stage.Source{
		Tokenizer: func() (*tokenizer.Tokenizer, error) { return nil, nil },
		Examples: func(*train.Task) ([]pack.Example, pack.Count, error) {
			loading = debug.SetGCPercent(10)
			return nil, pack.Count{}, errors.New("no grass")
		},
	}
	if err := stage.Train(t.Context(), settings{}, train.Task{Dir: t.TempDir()}, from); err == nil {
		t.Error("trained without examples")
	}
	if after := debug.SetGCPercent(100); loading != 10 || after != 100 {
		t.Errorf("the collector waits for %d%% of garbage while examples are made, for %d%% afterwards", loading, after)
	}
}

// TestCheck: Check returns the first problem.
func TestCheck(t *testing.T) {
	good := stage.Defaults()
	good.Model, good.Out = "m", "o"
	long, slow := good, good
	long.MaxTokens = 0
	slow.LearningRate = 0
	for want, problems := range map[string][]error{
		"": {nil, good.Validate(), stage.NeedModel("m", ""), stage.NeedTables("chats", []string{"t"}), stage.NeedOut("o")},
		"graze: model is not set: the model directory to start from": {stage.NeedModel("", ""), stage.NeedOut("")},
		"graze: chats is not set: the tables of chats to learn from": {nil, stage.NeedTables("chats", nil), long.Validate()},
		"graze: out is not set: the model directory to write":        {stage.NeedOut("")},
		"graze: max_tokens is 0, expected more than 1":               {long.Validate(), slow.Validate()},
		"graze: learning_rate is 0, expected a positive number":      {slow.Validate(), long.Validate()},
	} {
		got := ""
		if err := stage.Check("graze", problems...); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
