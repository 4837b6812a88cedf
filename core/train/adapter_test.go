package train_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
)

// adapterTask trains every part that an adapter can have, with several micro-batches a step.
func adapterTask(t testing.TB, dir string) train.Task {
	t.Helper()
	job := task(t, dir)
	l := model.DefaultLoRA()
	l.R, l.DoRA, l.Dropout = 4, true, 0.1
	a := job.Params.Adapt(l, true)
	a.Init(job.Params, 3)
	a.Base = "somewhere"
	job.Settings.LoRA = l
	return job
}

// adapterRun trains to the end, stops and resumes after the given steps, and returns the
// adapter's file.
func adapterRun(t *testing.T, change func(session int, job *train.Task), stops ...int) []byte {
	t.Helper()
	dir := t.TempDir()
	for session, at := range append(stops, 0) {
		ctx, stop := context.WithCancel(t.Context())
		job := adapterTask(t, dir)
		job.Resume = session > 0
		change(session, &job)
		base := slices.Clone(job.Params.W)
		job.Report = func(p train.Progress) {
			if p.Step == at {
				stop()
			}
		}
		if err := train.Run(ctx, job); err != nil && !errors.As(err, new(*run.Interrupted)) {
			t.Fatal(err)
		}
		stop()
		if !slices.Equal(job.Params.W, base) || job.Params.G != nil {
			t.Error("the base has changed or has gradients")
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, model.AdapterWeights))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err == nil {
		t.Error("a finished run left its checkpoint behind")
	}
	return b
}

// TestAdapterResumes: a resumed run gives the same adapter, bit for bit, on any number of
// threads, with activations kept or recomputed. The base never changes.
func TestAdapterResumes(t *testing.T) {
	defer kernel.SetThreads(0)
	same := func(int, *train.Task) {}
	want := adapterRun(t, same)
	if !bytes.Equal(adapterRun(t, same, 1, 4, 7), want) {
		t.Error("stopped and resumed: another adapter")
	}
	recomputed := func(session int, job *train.Task) {
		kernel.SetThreads(1 + 2*session)
		job.Settings.Recompute = model.Recompute(session % 2)
	}
	if !bytes.Equal(adapterRun(t, recomputed, 5, 11), want) {
		t.Error("with other threads and recomputation: another adapter")
	}
	other := func(_ int, job *train.Task) {
		job.Params.Adapter.LoRA.Dropout = 0.11
	}
	if bytes.Equal(adapterRun(t, other, 5), want) {
		t.Error("another dropout goes unnoticed")
	}
}

func TestAdapterLearns(t *testing.T) {
	job := adapterTask(t, t.TempDir())
	var losses []float64
	var plan train.Plan
	job.Announce = func(p train.Plan) { plan = p }
	job.Report = func(p train.Progress) { losses = append(losses, p.Loss) }
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if first, last := losses[0], losses[len(losses)-1]; last > first-0.5 {
		t.Errorf("loss from %v to %v: expected a fall by 0.5", first, last)
	}
	n := int64(job.Params.Adapter.Count())
	if int64(plan.Trained) != n || plan.Parameters != job.Params.Count() || plan.Memory.Weights != 4*int64(plan.Parameters)+16*n {
		t.Errorf("plan %+v for %d parameters of an adapter", plan, n)
	}
}

// TestAdapterDigest: the settings of an adapter count only if there is one. Without one,
// digests are the same as before adapters existed.
func TestAdapterDigest(t *testing.T) {
	text := func(change func(*model.LoRA)) string {
		s := train.Defaults()
		change(&s.LoRA)
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	plain := text(func(*model.LoRA) {})
	if bytes.Contains([]byte(plain), []byte("LoRA")) || text(func(l *model.LoRA) { l.Alpha = 3 }) != plain {
		t.Errorf("settings without an adapter are %s", plain)
	}
	eight := text(func(l *model.LoRA) { l.R = 8 })
	if eight == plain || text(func(l *model.LoRA) { l.R, l.Dropout = 8, 0.1 }) == eight {
		t.Error("the shape of an adapter is no part of the settings")
	}
}

// TestDropoutPerStep: every micro-batch of every step drops other parts, shown by one row with
// a tiny learning rate.
func TestDropoutPerStep(t *testing.T) {
	for _, dropout := range []float64{0, 0.5} {
		job := adapterTask(t, t.TempDir())
		a := job.Params.Adapter
		a.LoRA.Dropout = dropout
		for i := range a.W {
			a.W[i] += 0.1
		}
		job.Examples, job.Settings.Steps, job.Settings.LearningRate = counting(1), 3, 1e-12
		var losses []float64
		job.Report = func(p train.Progress) { losses = append(losses, p.Loss) }
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		slices.Sort(losses)
		if different := len(slices.Compact(losses)); different != map[float64]int{0: 1, 0.5: 3}[dropout] {
			t.Errorf("dropout %v: losses %v", dropout, losses)
		}
	}
}
