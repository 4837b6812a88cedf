package train

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// A model directory under training:
//
//	DIR/metrics.jsonl   one line per step
//	DIR/checkpoint/     a model directory itself, with what is needed to go on
//	DIR/herd.json       written last: its presence says that the model is finished

// state is what a checkpoint holds besides tensors. The order of the data, the
// learning rate and everything random follow from the step and the settings.
type state struct {
	Step   int    `json:"step"` // steps done
	Tokens int64  `json:"tokens"`
	Digest string `json:"digest"` // of settings and inputs: Manifest.Digest
}

func checkpointDir(dir string) string { return filepath.Join(dir, "checkpoint") }

// prepareDir makes the output directory, or puts the loop where the checkpoint
// in it stopped. It refuses to touch what it was not told to replace.
func (l *loop) prepareDir() error {
	saved, moments, err := openState(l.Dir)
	switch found := err == nil; {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("train: %w", err)
	case found && l.Resume:
		err = l.restore(saved, moments)
	case found && !l.Overwrite:
		err = fmt.Errorf("train: %s holds a run that stopped after step %d: go on with --resume, start anew with --overwrite, or choose another directory", l.Dir, saved.Step)
	default:
		err = claim(l.Dir, l.Overwrite)
	}
	if moments != nil {
		err = errors.Join(err, moments.Close())
	}
	if err != nil {
		return err
	}
	l.metrics, err = openMetrics(filepath.Join(l.Dir, "metrics.jsonl"), l.step)
	return err
}

// claim makes dir for a new model.
func claim(dir string, overwrite bool) error {
	for _, name := range []string{run.ManifestName, "config.json", checkpoint.ModelName, checkpoint.IndexName, model.AdapterConfig} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil && !overwrite {
			return fmt.Errorf("train: %s already holds a model (%s): choose another directory, or --overwrite", dir, name)
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := os.RemoveAll(checkpointDir(dir)); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// save writes a checkpoint, replacing the one before it only when it is complete.
func (l *loop) save() error {
	err := disk.WriteDir(checkpointDir(l.Dir), func(tmp string) error {
		if err := l.saveModel(tmp, "float32"); err != nil {
			return err
		}
		return checkpoint.WriteTraining(tmp, state{l.step, l.tokens, l.Manifest.Digest}, []checkpoint.Tensor{
			{Name: "exp_avg", Shape: []int{len(l.optimizer.M)}, Data: l.optimizer.M},
			{Name: "exp_avg_sq", Shape: []int{len(l.optimizer.V)}, Data: l.optimizer.V},
		})
	})
	if err != nil {
		return fmt.Errorf("train: checkpoint after step %d: %w", l.step, err)
	}
	return nil
}

// saveModel writes weights as dtype, tokenizer and, last, the manifest.
func (l *loop) saveModel(dir, dtype string) error {
	if err := l.trained.SaveAs(dir, dtype); err != nil {
		return err
	}
	if l.Tokenizer != nil {
		if err := l.Tokenizer.Save(dir); err != nil {
			return err
		}
	}
	m := l.Manifest
	m.Step = l.step
	return run.WriteManifest(dir, m)
}

// restore puts weights, moments and step back to those of the checkpoint.
func (l *loop) restore(saved state, moments *checkpoint.File) error {
	if saved.Digest != l.Manifest.Digest {
		return fmt.Errorf("train: the run in %s was made with other settings or data: give those again, or start anew with --overwrite", l.Dir)
	}
	if saved.Step < 0 || saved.Step > l.steps {
		return fmt.Errorf("train: the checkpoint in %s is after step %d of a run of %d", l.Dir, saved.Step, l.steps)
	}
	err := errors.Join(
		l.trained.ReadFrom(checkpointDir(l.Dir)),
		moments.Read("exp_avg", l.optimizer.M),
		moments.Read("exp_avg_sq", l.optimizer.V),
	)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.step, l.tokens, l.optimizer.Steps = saved.Step, saved.Tokens, saved.Step
	return nil
}

// finish writes the model, its manifest last, and removes the checkpoint.
func (l *loop) finish() error {
	if err := os.Remove(filepath.Join(l.Dir, run.ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("train: %w", err)
	}
	if err := errors.Join(l.removeReplaced(), l.saveModel(l.Dir, cmp.Or(l.Settings.SaveDType, "float32"))); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return os.RemoveAll(checkpointDir(l.Dir))
}

// removeReplaced removes what an adapter leaves of the model that it replaces, or the
// other way round: of two descriptions one would be wrong.
func (l *loop) removeReplaced() error {
	stale := []string{model.AdapterConfig, model.AdapterWeights}
	if l.Params.Adapter != nil {
		stale = []string{"config.json", checkpoint.ModelName, checkpoint.IndexName}
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(l.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// openState reads the state of the checkpoint in dir and opens the moments; the
// error is fs.ErrNotExist if there is none.
func openState(dir string) (s state, moments *checkpoint.File, err error) {
	moments, err = checkpoint.OpenTraining(checkpointDir(dir), &s)
	return s, moments, err
}

// savedStep returns the step of the checkpoint in dir.
func savedStep(dir string) (int, bool) {
	s, moments, err := openState(dir)
	if err != nil {
		return 0, false
	}
	moments.Close()
	return s.Step, true
}

// Resumable reports whether dir holds an unfinished run whose settings and
// inputs have the digest.
func Resumable(dir, digest string) bool {
	s, moments, err := openState(dir)
	if err != nil {
		return false
	}
	moments.Close()
	return s.Digest == digest
}
