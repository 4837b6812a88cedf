package train

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/weights/checkpoint"
)

// A model directory under training:
//
//	DIR/metrics.jsonl   one line per step
//	DIR/checkpoint/     a model directory too, with the state to resume from
//	DIR/.herd.unfinished   while the files of the finished model are written
//	DIR/herd.json       written last: a model directory that has it is finished

// ExtraRows is the key of a pack.Count in the manifest of a trained model: what became of the rows
// that it was trained on.
const ExtraRows = "rows"

// state is the part of a checkpoint that is not tensors. The order of the data, the learning
// rate and all random numbers follow from the step and the settings.
type state struct {
	Step   int    `json:"step"` // steps done
	Tokens int64  `json:"tokens"`
	Digest string `json:"digest"` // of settings and inputs: Manifest.Digest
}

func checkpointDir(dir string) string { return filepath.Join(dir, "checkpoint") }

// Claim takes the output directory for the task, whose Dir, Manifest and Mode are set. A stage that
// computes something before training claims first, so that the work is neither lost nor written
// into a directory that another run holds.
func Claim(t Task) (*run.Claim, error) {
	c, err := run.ClaimDir(t.Dir, t.Mode, func() (run.Contents, error) { return inspect(t.Dir, t.Manifest) })
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return c, nil
}

// inspect returns what dir holds, for a run with the manifest.
func inspect(dir string, m run.Manifest) (run.Contents, error) {
	s, err := readState(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return inspectModel(dir, m)
	}
	if err != nil {
		return run.Contents{}, err
	}
	c := run.Contents{
		Holds:     fmt.Sprintf("a run that stopped after step %d", s.Step),
		Resumable: true, Differs: s.Digest != m.Digest,
	}
	if there, err := run.ReadManifest(checkpointDir(dir)); err == nil && c.Differs {
		c.Changes = strings.Join(there.Differences(m), ", ")
	}
	return c, nil
}

// unfinished is the file that says which run was writing the files of its model. A directory with
// it and without a manifest holds no whole model.
const unfinished = ".herd.unfinished"

// inspectModel returns what a directory without a checkpoint holds. A run that was killed while it
// wrote its model can be resumed: it begins again, because it has no checkpoint.
func inspectModel(dir string, m run.Manifest) (run.Contents, error) {
	digest, err := os.ReadFile(filepath.Join(dir, unfinished))
	_, missing := os.Stat(filepath.Join(dir, run.ManifestName))
	if err != nil || missing == nil {
		return run.Contents{Holds: modelIn(dir)}, nil
	}
	return run.Contents{
		Holds:     "a run that was stopped while it wrote its model",
		Resumable: true, Differs: string(digest) != m.Digest,
	}, nil
}

// modelIn names the model in dir by one of its files; it returns "" if there is none.
func modelIn(dir string) string {
	for _, name := range []string{run.ManifestName, model.ConfigFile, checkpoint.ModelName, checkpoint.IndexName, model.AdapterConfig} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return fmt.Sprintf("a model (%s)", name)
		}
	}
	return ""
}

// prepareDir restores the checkpoint if the run is resumed, and removes an old one if not.
func (l *loop) prepareDir(resumed bool) error {
	var err error
	if resumed {
		err = l.restore()
	}
	if !resumed || errors.Is(err, fs.ErrNotExist) { // without a checkpoint it begins again
		err = os.RemoveAll(checkpointDir(l.Dir))
		if _, left := os.Stat(filepath.Join(l.Dir, unfinished)); err == nil && left == nil {
			err = l.markUnfinished() // what is left may be replaced now
		}
	}
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	l.metrics, err = openMetrics(filepath.Join(l.Dir, "metrics.jsonl"), l.step)
	return err
}

// save writes a checkpoint. It replaces the one before only when the new one is complete.
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

// saveModel writes the weights as dtype, the tokenizer and, last, the manifest.
func (l *loop) saveModel(dir, dtype string) error {
	if err := l.trained.SaveAs(dir, dtype); err != nil {
		return err
	}
	if err := l.Params.Config.SaveGeneration(dir); err != nil {
		return err
	}
	if l.Tokenizer != nil {
		if err := l.Tokenizer.Save(dir); err != nil {
			return err
		}
	}
	m := l.Manifest
	m.Step = l.step
	if l.Rows.Rows > 0 {
		rows, err := json.Marshal(l.Rows)
		if err != nil {
			return err
		}
		m.Extra = map[string]json.RawMessage{ExtraRows: rows}
	}
	return run.WriteManifest(dir, m)
}

// restore loads weights, moments and step from the checkpoint.
func (l *loop) restore() error {
	saved, moments, err := openState(l.Dir)
	if err != nil {
		return err
	}
	defer moments.Close()
	if saved.Step < 0 || saved.Step > l.steps {
		return fmt.Errorf("the checkpoint in %s is after step %d of a run of %d", l.Dir, saved.Step, l.steps)
	}
	err = errors.Join(
		l.trained.ReadFrom(checkpointDir(l.Dir)),
		moments.Read("exp_avg", l.optimizer.M),
		moments.Read("exp_avg_sq", l.optimizer.V),
	)
	l.step, l.tokens, l.optimizer.Steps = saved.Step, saved.Tokens, saved.Step
	return err
}

func (l *loop) markUnfinished() error {
	return disk.WriteBytes(filepath.Join(l.Dir, unfinished), []byte(l.Manifest.Digest))
}

// finish writes the model, its manifest last, and removes the checkpoint.
func (l *loop) finish() error {
	if err := l.markUnfinished(); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	if err := os.Remove(filepath.Join(l.Dir, run.ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("train: %w", err)
	}
	if err := errors.Join(l.removeReplaced(), l.saveModel(l.Dir, cmp.Or(l.Settings.SaveDType, "float32"))); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return errors.Join(os.RemoveAll(checkpointDir(l.Dir)), os.Remove(filepath.Join(l.Dir, unfinished)))
}

// removeReplaced removes the files of a model that an adapter replaces, or of an adapter that
// a model replaces: the directory must not describe both.
func (l *loop) removeReplaced() error {
	stale := []string{model.AdapterConfig, model.AdapterWeights}
	if l.Params.Adapter != nil {
		stale = []string{model.ConfigFile, checkpoint.ModelName, checkpoint.IndexName}
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(l.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// openState reads the state of the checkpoint in dir and opens the moments. The error is
// fs.ErrNotExist if there is no checkpoint.
func openState(dir string) (s state, moments *checkpoint.File, err error) {
	moments, err = checkpoint.OpenTraining(checkpointDir(dir), &s)
	return s, moments, err
}

// readState reads the state of the checkpoint in dir. The error is fs.ErrNotExist if there is
// no checkpoint.
func readState(dir string) (state, error) {
	s, moments, err := openState(dir)
	if err == nil {
		err = moments.Close()
	}
	return s, err
}

// Unfinished returns what dir holds of a run that stopped early, for a run with the manifest. A
// checkpoint that cannot be read is an error.
func Unfinished(dir string, m run.Manifest) (run.Contents, error) {
	c, err := inspect(dir, m)
	if err != nil || !c.Resumable {
		return run.Contents{}, err
	}
	return c, nil
}
