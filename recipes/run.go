package recipes

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/rejection"
)

// Status is the state of a stage.
type Status string

const (
	Began   Status = "began"
	Resumed Status = "resumed"
	Skipped Status = "skipped" // finished earlier with the same settings and inputs
	Running Status = "running"
	Testing Status = "testing" // being evaluated
	Done    Status = "done"
)

// Event reports progress.
type Event struct {
	Stage  string
	Kind   string // "data", "pretrain", ...
	Index  int    // of the stage in the recipe, from 0; -1 for the data
	Stages int
	Status Status

	Plan     *train.Plan         // of a stage that trains, before its first step
	Training *train.Progress     // of a stage that trains, while running
	Sampling *rejection.Progress // of rejection sampling, while running
	Summary  *rejection.Summary  // of rejection sampling at its end; only from Kind.Run
	Measures eval.Measures       // when done or skipped
	Elapsed  time.Duration       // since the stage began
}

// Options control how a recipe executes.
type Options struct {
	Dir       string      // the run directory; "" is runs/NAME
	Overwrite bool        // replace results of other settings or data
	Profile   bool        // profile each stage that trains: see train.Options
	Report    func(Event) // may be nil
}

// ResultsFile is the table of stages and measures in the run directory.
const ResultsFile = "results.json"

// Run runs all stages in order. It skips a finished stage with the same settings and inputs, and
// resumes an interrupted one. If ctx ends, the current stage saves its state; the same call
// continues from there. Before Run writes anything, a missing input is a *MissingInputs error, and
// results of other settings or data are a *Replaces error unless Options.Overwrite is set.
func (r *Recipe) Run(ctx context.Context, o Options) (eval.Results, error) {
	e := engine{Recipe: r, dir: o.Dir, overwrite: o.Overwrite, profile: o.Profile, report: o.Report, manifests: make(map[int]run.Manifest)}
	if e.dir == "" {
		e.dir = filepath.Join("runs", r.Name)
	}
	if e.report == nil {
		e.report = func(Event) {}
	}
	if err := e.check(); err != nil {
		return e.results, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	if err := e.checkInputs(); err != nil {
		return e.results, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	if err := os.MkdirAll(e.dir, 0o777); err != nil {
		return e.results, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	lock, err := run.LockDir(e.dir)
	if err != nil {
		return e.results, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	defer lock.Release()
	if err := e.checkFinished(); err != nil {
		return e.results, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	if err := e.begin(); err != nil {
		return e.results, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	for i := range r.Stages {
		if err := e.stage(ctx, i); err != nil {
			return e.results, fmt.Errorf("recipe %s: stage %s: %w", r.Name, r.Stages[i].Name, err)
		}
	}
	return e.results, e.results.Write(filepath.Join(e.dir, ResultsFile))
}

// engine is a run in progress.
type engine struct {
	*Recipe
	dir       string
	overwrite bool
	profile   bool
	report    func(Event)
	made      run.Manifest         // of the data
	manifests map[int]run.Manifest // of stages whose inputs were all there when the run began
	results   eval.Results
	before    []eval.Answer // of the last stage that answered
}

// begin writes the recipe with all defaults, and the tables of its data section.
func (e *engine) begin() error {
	doc, err := e.yaml()
	if err != nil {
		return err
	}
	if err := disk.WriteBytes(filepath.Join(e.dir, "recipe.yaml"), doc); err != nil {
		return err
	}
	event := Event{Stage: dataDir, Kind: dataDir, Index: -1, Stages: len(e.Stages)}
	e.tell(event, Began, 0)
	began := time.Now()
	made, err := e.makeData(e.dir, e.made)
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	e.tell(event, doneOr(made, Skipped), time.Since(began))
	return nil
}

func doneOr(done bool, otherwise Status) Status {
	if done {
		return Done
	}
	return otherwise
}

func (e *engine) tell(event Event, status Status, elapsed time.Duration) {
	event.Status, event.Elapsed = status, elapsed
	e.report(event)
}

// stage runs stage i, unless it is finished, and measures the result.
func (e *engine) stage(ctx context.Context, i int) error {
	s := e.resolve(i, e.dir)
	event := Event{Stage: s.Name, Kind: s.Kind.Name, Index: i, Stages: len(e.Stages)}
	began := time.Now()
	m, known := e.manifests[i]
	if !known {
		var err error
		if m, err = s.Settings.Manifest(); err != nil {
			return err
		}
	}
	done, err := run.Finished(s.out(), m.Digest)
	if err != nil {
		return err
	}
	if !done {
		if err := e.execute(ctx, s, m, event, began); err != nil {
			return err
		}
	}
	debug.FreeOSMemory() // so that the memory of this stage does not add to that of the next
	e.tell(event, Testing, time.Since(began))
	if event.Measures, err = e.evaluate(ctx, i, s, m.Digest); err != nil {
		return err
	}
	e.results.Stages = append(e.results.Stages, eval.Stage{Stage: s.Name, Measures: event.Measures})
	e.tell(event, doneOr(!done, Skipped), time.Since(began))
	return nil
}

// execute runs a stage from its start, or from where it was interrupted.
func (e *engine) execute(ctx context.Context, s Stage, m run.Manifest, event Event, began time.Time) error {
	left, err := s.Kind.there(s.Settings, m)
	if err = cmp.Or(err, e.mayReplace(s, m)); err != nil {
		return err // a run that cannot be read is not replaced in silence
	}
	status := Began
	if left.Same() {
		status = Resumed
	}
	e.tell(event, status, 0)
	return s.Kind.Run(ctx, s.Settings, StageOptions{Mode: run.Mode{Resume: left.Same(), Overwrite: e.overwrite}, Profile: e.profile, Report: func(progress Event) {
		if progress.Summary != nil {
			return
		}
		event.Plan, event.Training, event.Sampling = progress.Plan, progress.Training, progress.Sampling
		e.tell(event, Running, time.Since(began))
	}})
}
