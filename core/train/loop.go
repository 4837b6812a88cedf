package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/optim"
	"github.com/herd-lm/herd/core/train/pack"
)

// Task is one training run, as a stage passes it to the loop.
type Task struct {
	Settings  Settings
	Params    *model.Params        // the initial weights; they, or those of the adapter, have gradients
	Tokenizer *tokenizer.Tokenizer // saved beside the weights; may be nil
	Examples  []pack.Example
	Rows      pack.Count // what became of the rows of which the examples were made
	Loss      model.Loss
	// Metrics adds a micro-batch's metrics other than its loss; may be nil.
	Metrics func(b *token.Batch, r *model.Result, m *Meter)

	Dir      string       // the model directory to write
	Manifest run.Manifest // of the model: stage and digests
	Claimed  *run.Claim   // of Dir, from Claim; nil: Run claims it
	Options
}

// Options control how a run executes. They do not affect its results.
type Options struct {
	run.Mode
	Profile  bool           // write where the time goes: ProfileTable, ProfileCPU
	Announce func(Plan)     // called before the first step; may be nil
	Report   func(Progress) // called after every step; may be nil
}

// Run trains until the last step and writes the model to t.Dir. If ctx ends first, it saves a
// checkpoint and returns a *run.Interrupted. The weights after a resumed run equal those of an
// uninterrupted one, bit for bit. The error is a *run.Occupied if t.Dir holds something that
// the mode does not allow Run to continue or replace, and a *run.InUse if another process
// writes there.
func Run(ctx context.Context, t Task) error {
	l, err := newLoop(t)
	if err != nil {
		return err
	}
	defer l.program.Close()
	if err := l.budget(); err != nil {
		return err
	}
	defer memory.LimitGarbage(l.garbage)()
	claim := t.Claimed
	if claim == nil {
		if claim, err = Claim(t); err != nil {
			return err
		}
		defer claim.Release()
	}
	if err := l.prepareDir(claim.Resumed); err != nil {
		return err
	}
	defer l.metrics.Close()
	if l.Announce != nil {
		l.Announce(l.announcement())
	}
	if l.Profile {
		return l.profiled(ctx)
	}
	return l.train(ctx)
}

// announcement returns the plan of the run.
func (l *loop) announcement() Plan {
	p := Plan{Stage: l.Manifest.Stage, Steps: l.steps, Parameters: l.Params.Count(), Memory: l.memory, Rows: l.Rows}
	if a := l.Params.Adapter; a != nil {
		p.Trained = a.Count()
	}
	return p
}

// train does the remaining steps and writes the model.
func (l *loop) train(ctx context.Context) error {
	for l.step < l.steps {
		if ctx.Err() != nil {
			return l.interrupt(context.Cause(ctx))
		}
		if err := l.advance(); err != nil {
			return err
		}
	}
	return l.finish()
}

// loop is a run in progress.
type loop struct {
	Task
	trained   model.Trainable // the weights that steps change: Params, or the adapter beside them
	plan      *pack.Plan
	program   *model.Program
	optimizer *optim.AdamW
	schedule  optim.Schedule
	steps     int
	memory    Memory
	garbage   int // that the collector allows, in percent of the live heap

	step    int   // steps done
	tokens  int64 // trained on so far
	metrics *metricsFile

	watch       stopwatch
	began       time.Time // of this session
	beganStep   int
	beganTokens int64
}

func newLoop(t Task) (*loop, error) {
	if err := t.Settings.Validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	if t.Tokenizer != nil && t.Tokenizer.VocabSize() > t.Params.Config.VocabSize {
		return nil, fmt.Errorf("train: the tokenizer has %d tokens, but the model only %d: they do not match", t.Tokenizer.VocabSize(), t.Params.Config.VocabSize)
	}
	if err := checkExamples(t.Examples, t.Params.Config); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	plan, err := pack.NewPlan(t.Examples, t.Settings.limits(), t.Settings.Seed)
	if err != nil {
		return nil, fmt.Errorf("train: %w; raise micro_tokens or shorten the row", err)
	}
	l := &loop{Task: t, trained: t.Params.Trained(), plan: plan, steps: t.Settings.steps(plan)}
	l.schedule = t.Settings.schedule(l.steps)
	if err := l.schedule.Validate(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	l.optimizer = t.Settings.optimizer(l.trained.Flat().Count())
	t.Params.Precision = t.Settings.Precision
	l.program, err = model.Compile(t.Params, plan.Capacity(l.steps), t.Loss, t.Settings.Recompute)
	return l, err
}

// checkExamples returns an error for a row that trains nothing, or that the model cannot read.
func checkExamples(examples []pack.Example, c model.Config) error {
	for _, e := range examples {
		if e.Targets()+e.Values() == 0 {
			return fmt.Errorf("row %s has nothing to learn: none of its tokens is a target", e.Row)
		}
		if !(e.Norm > 0) {
			return fmt.Errorf("row %s adds %g to the normaliser of its step, expected more than 0", e.Row, e.Norm)
		}
		if err := c.CheckContext(e.Positions()); err != nil {
			return fmt.Errorf("row %s has %w: shorten it, or lower max_tokens", e.Row, err)
		}
	}
	return nil
}

// advance does one optimiser step, reports it, and saves a checkpoint if one is due. It writes the
// metrics first: a run that resumes from a checkpoint writes none of the steps before it again.
func (l *loop) advance() error {
	if l.began.IsZero() {
		l.began, l.beganStep, l.beganTokens = time.Now(), l.step, l.tokens
		l.watch.last = l.began
	}
	progress, err := l.optimize()
	if err != nil {
		return fmt.Errorf("train: %s, step %d: %w", l.Manifest.Stage, l.step+1, err)
	}
	l.step++
	l.time(&progress)
	if err := l.metrics.write(progress); err != nil {
		return err
	}
	l.watch.lap(reporting)
	if every := l.Settings.CheckpointEvery; every > 0 && l.step%every == 0 && l.step < l.steps {
		if err := l.save(); err != nil {
			return err
		}
		l.watch.lap(saving)
		progress.Checkpointed = true
	}
	if l.Report != nil {
		l.Report(progress)
		l.watch.lap(reporting)
	}
	return nil
}

// optimize computes the gradient of the next step over its micro-batches, each weighted by
// its share of the step's normaliser, and updates the weights.
func (l *loop) optimize() (Progress, error) {
	batches := l.plan.Step(l.step)
	l.watch.lap(planning)
	var norm float64
	for _, b := range batches {
		norm += b.Norm
	}
	p := Progress{Stage: l.Manifest.Stage, Step: l.step + 1, Steps: l.steps, LR: l.schedule.LR(l.step + 1)}
	var meter Meter
	for i, b := range batches {
		l.program.Draw(l.Settings.Seed, l.step, i)
		r, err := l.program.Run(b, 1/norm, i > 0)
		if err != nil {
			return p, err
		}
		l.watch.lap(computing)
		if math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0) {
			return p, l.diverged(fmt.Sprintf("the loss is %g", r.Loss), b)
		}
		p.Loss += r.Loss
		l.tokens += int64(len(b.IDs))
		if l.Metrics != nil {
			l.Metrics(b, r, &meter)
			l.watch.lap(metering)
		}
	}
	var err error
	w := l.trained.Flat()
	p.GradNorm, _, err = l.optimizer.Step(w.W, w.G, w.Matrices(), p.LR, l.Settings.ClipNorm)
	l.watch.lap(updating)
	if errors.Is(err, optim.ErrNonFinite) {
		return p, l.diverged("the gradient is not finite", batches...)
	}
	p.Tokens, p.Metrics = l.tokens, meter.Means()
	return p, err
}

// diverged returns an error that names the rows of the batches and the checkpoint to resume from.
func (l *loop) diverged(what string, batches ...*token.Batch) error {
	var rows []string
	for _, b := range batches {
		rows = append(rows, b.Rows...)
	}
	const most = 8
	more := ""
	if len(rows) > most {
		more = fmt.Sprintf(" and %d more", len(rows)-most)
		rows = rows[:most]
	}
	saved := "no checkpoint has been written yet"
	if s, err := readState(l.Dir); err == nil {
		saved = fmt.Sprintf("the checkpoint of step %d in %s is intact", s.Step, l.Dir)
	}
	return fmt.Errorf("%s at rows %v%s; %s; check these rows, or lower learning_rate or clip_norm", what, rows, more, saved)
}

// time adds the speed of this session and the time that remains.
func (l *loop) time(p *Progress) {
	elapsed := time.Since(l.began)
	p.TokensPerS = float64(l.tokens-l.beganTokens) / elapsed.Seconds()
	p.Remaining = elapsed / time.Duration(l.step-l.beganStep) * time.Duration(l.steps-l.step)
}

func (l *loop) interrupt(cause error) error {
	if err := l.save(); err != nil {
		return errors.Join(cause, err)
	}
	return &run.Interrupted{Dir: l.Dir, Step: l.step, Steps: l.steps, Cause: cause}
}
