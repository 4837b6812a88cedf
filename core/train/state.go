package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/checkpoint"
)

// A model directory under training:
//
//	DIR/metrics.jsonl   one line per step
//	DIR/training/       the last checkpoint: a model directory itself, with
//	                    optimizer.safetensors and state.json beside the weights
//	DIR/herd.json       written last: its presence says that the model is finished

// state is what a checkpoint holds besides tensors. The order of the data, the
// learning rate and everything random follow from the step and the settings.
type state struct {
	Step   int    `json:"step"` // steps done
	Tokens int64  `json:"tokens"`
	Digest string `json:"digest"` // of settings and inputs: Manifest.Digest
}

func trainingDir(dir string) string { return filepath.Join(dir, "training") }

// prepareDir makes the output directory, or puts the loop where the checkpoint
// in it stopped. It refuses to touch what it was not told to replace.
func (l *loop) prepareDir() error {
	saved, err := readState(l.Dir)
	switch found := err == nil; {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("train: %w", err)
	case found && l.Resume:
		err = l.restore(saved)
	case found && !l.Overwrite:
		return fmt.Errorf("train: %s holds a run that stopped after step %d: go on with --resume, start anew with --overwrite, or choose another directory", l.Dir, saved.Step)
	default:
		err = claim(l.Dir, l.Overwrite)
	}
	if err != nil {
		return err
	}
	l.metrics, err = openMetrics(filepath.Join(l.Dir, "metrics.jsonl"), l.step)
	return err
}

// claim makes dir for a new model.
func claim(dir string, overwrite bool) error {
	for _, name := range []string{checkpoint.ManifestName, "config.json", "model.safetensors"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil && !overwrite {
			return fmt.Errorf("train: %s already holds a model (%s): choose another directory, or --overwrite", dir, name)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := os.RemoveAll(trainingDir(dir)); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// save writes a checkpoint, replacing the one before it only when it is complete.
func (l *loop) save() error {
	err := checkpoint.WriteDir(trainingDir(l.Dir), func(tmp string) error {
		if err := l.saveModel(tmp); err != nil {
			return err
		}
		moments := []checkpoint.Tensor{
			{Name: "exp_avg", Shape: []int{len(l.optimizer.M)}, Data: l.optimizer.M},
			{Name: "exp_avg_sq", Shape: []int{len(l.optimizer.V)}, Data: l.optimizer.V},
		}
		if err := checkpoint.Write(filepath.Join(tmp, "optimizer.safetensors"), moments, nil); err != nil {
			return err
		}
		return writeState(tmp, state{l.step, l.tokens, l.Manifest.Digest})
	})
	if err != nil {
		return fmt.Errorf("train: checkpoint after step %d: %w", l.step, err)
	}
	return nil
}

func (l *loop) saveModel(dir string) error {
	if err := l.Params.Save(dir); err != nil {
		return err
	}
	if l.Tokenizer == nil {
		return nil
	}
	return l.Tokenizer.Save(dir)
}

// restore puts weights, moments and step back to those of the checkpoint.
func (l *loop) restore(saved state) error {
	if saved.Digest != l.Manifest.Digest {
		return fmt.Errorf("train: the run in %s was made with other settings or data: give those again, or start anew with --overwrite", l.Dir)
	}
	if saved.Step > l.steps {
		return fmt.Errorf("train: the checkpoint in %s is after step %d of a run of %d", l.Dir, saved.Step, l.steps)
	}
	dir := trainingDir(l.Dir)
	if err := l.Params.ReadFrom(dir); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	f, err := checkpoint.Open(filepath.Join(dir, "optimizer.safetensors"))
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer f.Close()
	if err := errors.Join(f.Read("exp_avg", l.optimizer.M), f.Read("exp_avg_sq", l.optimizer.V)); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.step, l.tokens, l.optimizer.Steps = saved.Step, saved.Tokens, saved.Step
	return nil
}

// finish writes the model, its manifest last, and removes the checkpoint.
func (l *loop) finish() error {
	if err := os.Remove(filepath.Join(l.Dir, checkpoint.ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("train: %w", err)
	}
	if err := l.saveModel(l.Dir); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.Manifest.Step = l.step
	if err := checkpoint.WriteManifest(l.Dir, l.Manifest); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return os.RemoveAll(trainingDir(l.Dir))
}

func statePath(training string) string { return filepath.Join(training, "state.json") }

func writeState(training string, s state) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(statePath(training), append(b, '\n'), 0o666)
}

// readState reads the state of the checkpoint in dir; the error is
// fs.ErrNotExist if there is none.
func readState(dir string) (state, error) {
	training := trainingDir(dir)
	if err := checkpoint.Recover(training); err != nil {
		return state{}, err
	}
	b, err := os.ReadFile(statePath(training))
	if err != nil {
		return state{}, err
	}
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return state{}, fmt.Errorf("%s: %w", statePath(training), err)
	}
	return s, nil
}

func checkpointStep(dir string) (int, error) {
	s, err := readState(dir)
	return s.Step, err
}
