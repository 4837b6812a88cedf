package rejection

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge"
)

// TestRescore: with another reward model what was drawn is kept and scored anew.
func TestRescore(t *testing.T) {
	s := fixture(t, 20)
	if err := Run(t.Context(), s, Options{PartSamples: 9}); err != nil {
		t.Fatal(err)
	}
	first := written(t, s.Out)
	p, err := model.Load(s.Reward, false)
	if err != nil {
		t.Fatal(err)
	}
	p.Score.W[0] += 3
	before := s
	s.Reward += "-other"
	tok := filepath.Join(before.Reward, "tokenizer.json")
	if err := errors.Join(os.Mkdir(s.Reward, 0o777), p.Save(s.Reward), copyFile(tok, s.Reward), copyFile(filepath.Join(before.Reward, "tokenizer_config.json"), s.Reward)); err != nil {
		t.Fatal(err)
	}
	whole := s
	whole.Out += "-whole"
	if err := Run(t.Context(), whole, Options{}); err != nil {
		t.Fatal(err)
	}
	// Stopped while it scores, and once more.
	for range 2 {
		ctx, stop := context.WithCancel(t.Context())
		err := Run(ctx, s, Options{Mode: run.Mode{Resume: true}, PartSamples: 9, Report: func(Progress) { stop() }})
		if err == nil {
			t.Fatal("the run was not stopped")
		}
	}
	had := stored(t, s.Out)
	var sum Summary
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Summarise: func(got Summary) { sum = got }}); err != nil {
		t.Fatal(err)
	}
	if sum.Drawn != 0 || len(had) == 0 {
		t.Errorf("%d samples were drawn, %d scored before the stop", sum.Drawn, len(had))
	}
	if !bytes.Equal(written(t, s.Out), written(t, whole.Out)) {
		t.Error("other files than those of a run with that reward model alone")
	}
	if err := Run(t.Context(), before, Options{Mode: run.Mode{Resume: true}}); err != nil || !bytes.Equal(written(t, s.Out), first) {
		t.Errorf("back to the first reward model: other files, or error %v", err)
	}
}

// TestUnjudged: what cannot be scored is kept as it was drawn.
func TestUnjudged(t *testing.T) {
	s := fixture(t, 20)
	r := begin(t, s)
	broken := errors.New("broken")
	r.judge = failing{r.judge, broken}
	if err := r.draw(t.Context()); !errors.Is(err, broken) {
		t.Fatalf("a judge that fails: error %v", err)
	}
	r.claim.Release()
	kept := len(stored(t, s.Out))
	if kept == 0 {
		t.Error("no sample was kept")
	}
	var sum Summary
	if err := Run(t.Context(), s, Options{Mode: run.Mode{Resume: true}, Summarise: func(got Summary) { sum = got }}); err != nil || sum.Drawn != 60-kept {
		t.Errorf("%d samples were kept and %d drawn, of 60; error %v", kept, sum.Drawn, err)
	}
	for row, err := range table.Scan[table.Sample](filepath.Join(s.Out, SamplesFile)) {
		if err != nil || len(row.Candidates) != 3 || row.Candidates[0].Score == nil {
			t.Errorf("row %+v, error %v", row, err)
		}
	}
}

type failing struct {
	judge.Judge
	err error
}

func (f failing) Verdicts(context.Context, []judge.Item) ([][]judge.Verdict, error) {
	return nil, f.err
}

func copyFile(from, dir string) error {
	text, err := os.ReadFile(from)
	return errors.Join(err, os.WriteFile(filepath.Join(dir, filepath.Base(from)), text, 0o666))
}
