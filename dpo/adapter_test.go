package dpo

import (
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/table"
)

// references runs the stage and returns the reference's log-probabilities, and the
// rewards in its first step, when nothing has been learnt.
func references(t *testing.T, s Settings, o train.Options) (logps []float64, rewards []float64) {
	t.Helper()
	o.Report = func(p train.Progress) {
		if rewards == nil {
			rewards = []float64{p.Metrics["rewards/chosen"], p.Metrics["rewards/rejected"]}
		}
	}
	if err := Run(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	rows, _, err := table.ReadAll[table.Preference](filepath.Join(s.Out, "preferences.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		logps = append(logps, *row.RefChosenLogP, *row.RefRejectedLogP)
	}
	return logps, rewards
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestAdapterReference: beside an adapter the reference is the base, bit for bit; where
// training goes on from an adapter, it is that model; and another one if that is asked
// for. Where it is what is started from, there is no reward yet in the first step.
func TestAdapterReference(t *testing.T) {
	s := fixture(t)
	s.Steps, s.LearningRate = 3, 0.05
	want, rewards := references(t, s, train.Options{})
	if !equal(rewards, []float64{0, 0}) {
		t.Errorf("rewards %v before anything is learnt", rewards)
	}

	l := s
	l.LoRA.R, l.LoRA.DoRA, l.LoRA.Dropout, l.Out = 2, true, 0, s.Out+"-lora"
	got, rewards := references(t, l, train.Options{})
	if !equal(got, want) || !equal(rewards, []float64{0, 0}) {
		t.Errorf("beside an adapter: log-probabilities %v, want %v; rewards %v", got, want, rewards)
	}
	if !model.IsAdapter(l.Out) {
		t.Fatalf("%s is no adapter", l.Out)
	}

	coarse := l
	coarse.LoRA.BaseDType = kernel.StoreInt8
	got, rewards = references(t, coarse, train.Options{Mode: run.Mode{Overwrite: true}})
	if equal(got, want) || !equal(rewards, []float64{0, 0}) {
		t.Errorf("beside a base in int8: log-probabilities %v, of the base %v; rewards %v", got, want, rewards)
	}
	references(t, l, train.Options{Mode: run.Mode{Overwrite: true}})

	on := l
	on.Model, on.Out = l.Out, s.Out+"-on"
	got, rewards = references(t, on, train.Options{})
	if equal(got, want) || !equal(rewards, []float64{0, 0}) {
		t.Errorf("going on from an adapter: log-probabilities %v, of the base %v; rewards %v", got, want, rewards)
	}

	on.Reference, on.Out = s.Model, s.Out+"-against-base"
	got, rewards = references(t, on, train.Options{})
	if !equal(got, want) || equal(rewards, []float64{0, 0}) {
		t.Errorf("against the base: log-probabilities %v, want %v; rewards %v", got, want, rewards)
	}
}
