package rejection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/report"
	"github.com/herd-lm/herd/judge"
)

// Options control how a run executes. They do not affect its results.
type Options struct {
	run.Mode  // a run can resume from the samples of a finished run too
	Report    func(Progress)
	Summarise func(Summary) // at the end

	// herd writes a part after so many samples or so much time, whichever comes first.
	PartSamples int           // 0: 4096
	PartEvery   time.Duration // 0: 10 s
}

// session is a run in progress.
type session struct {
	Settings
	Options
	manifest run.Manifest
	identity identity
	claim    *run.Claim
	prompts  []prompt
	policy   *policy.Policy
	judge    judge.Judge
	store    *store
	catalog  catalog
	batch    batch
	tally    tally
	summary  Summary
	report   *report.Builder
}

// Run answers and scores all prompts. Samples survive a kill: a resumed run writes the same
// bytes as an uninterrupted one.
func Run(ctx context.Context, s Settings, o Options) error {
	if err := s.Validate(); err != nil {
		return err
	}
	manifest, err := s.Manifest()
	if err != nil {
		return err
	}
	r := &session{Settings: s, Options: o, manifest: manifest, identity: s.identify(manifest.Inputs)}
	r.PartSamples, r.PartEvery = cmp.Or(o.PartSamples, 4096), cmp.Or(o.PartEvery, 10*time.Second)
	if err := r.execute(ctx); err != nil {
		var stopped *run.Interrupted
		if errors.As(err, &stopped) {
			return err
		}
		return fmt.Errorf("rejection: %w", err)
	}
	return nil
}

// execute takes the run from its inputs to its files.
func (r *session) execute(ctx context.Context) error {
	var err error
	if r.prompts, r.summary.Repeated, err = loadPrompts(r.Settings); err != nil {
		return err
	}
	if err := r.claimDir(); err != nil {
		return err
	}
	defer r.claim.Release()
	if err := inOrder(r.openModels, r.checkPrompts, r.begin, r.findStored); err != nil {
		return err
	}
	if err := inOrder(func() error { return r.rescore(ctx) }, func() error { return r.draw(ctx) }); err != nil {
		if ctx.Err() != nil {
			return &run.Interrupted{Dir: r.Out, Step: r.tally.prompts, Steps: len(r.prompts), Cause: err}
		}
		return err
	}
	if err := inOrder(r.finish()...); err != nil {
		return err
	}
	if r.Summarise != nil {
		r.Summarise(r.summary)
	}
	return nil
}

// inOrder runs steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// openModels opens the policy and the judge.
func (r *session) openModels() (err error) {
	if r.policy, err = openPolicy(r.Settings); err != nil {
		return err
	}
	r.judge, err = r.Scoring.Open()
	return err
}

// findStored finds the samples of earlier runs.
func (r *session) findStored() (err error) {
	r.store, err = openStore(r.Out, table.Header{Stage: "rejection", Seed: r.Seed, Digests: table.Digests{
		Model: r.manifest.Inputs["model[0]"], Tokenizer: r.policy.TokenizerDigest(),
		Sampling: r.identity.digest(), Scoring: r.identifyScoring(r.manifest.Inputs),
	}})
	if err != nil {
		return err
	}
	r.tally = newTally(len(r.prompts), r.Samples, r.Pick)
	r.catalog, err = r.store.index(r.prompts, r.Samples, func(i int, c table.Candidate, scored bool) {
		if scored {
			r.tally.count(i, c)
		}
	})
	r.tally.begin()
	r.batch.began = time.Now()
	return err
}
