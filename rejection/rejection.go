package rejection

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/report"
	"github.com/herd-lm/herd/judge"
)

// The files that the stage writes to its directory.
const (
	SamplesFile     = "samples.arrow"     // every prompt with all its candidates and their scores
	ChatsFile       = "chats.arrow"       // the responses picked, for supervised fine-tuning
	PreferencesFile = "preferences.arrow" // best against worst, for preference optimisation
	ReportFile      = "report.html"       // what was drawn, for people
	ReportJSONFile  = "report.json"       // and for programs
)

// Options control how a run executes. They do not affect its results.
type Options struct {
	run.Mode  // a run can resume from the samples of a finished run too
	Report    func(Progress)
	Summarise func(Summary) // at the end

	// A part is written after so many samples or so much time, whichever is first.
	PartSamples int           // 0: 4096
	PartEvery   time.Duration // 0: 10 s
}

// session is a stage in progress.
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
	shelf    shelf
	batch    batch
	tally    tally
	summary  Summary
	report   *report.Builder
}

// Run answers and scores all prompts. What was drawn survives a kill: a run that
// goes on writes the same bytes as an unbroken one.
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
	if err := r.conduct(ctx); err != nil {
		var stopped *run.Interrupted
		if errors.As(err, &stopped) {
			return err
		}
		return fmt.Errorf("rejection: %w", err)
	}
	return nil
}

// conduct takes the run from its inputs to its files.
func (r *session) conduct(ctx context.Context) error {
	var err error
	if r.prompts, err = loadPrompts(r.Settings); err != nil {
		return err
	}
	if err := r.claimDir(); err != nil {
		return err
	}
	defer r.claim.Release()
	if err := inOrder(r.load, r.admit, r.begin, r.look); err != nil {
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

// inOrder takes steps until one fails.
func inOrder(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// claimDir takes the output directory for this run.
func (r *session) claimDir() (err error) {
	r.claim, err = run.ClaimDir(r.Out, r.Mode, func() (run.Contents, error) { return inspect(r.Out, r.identity) })
	return err
}

// inspect returns what dir holds, for a run with the identity.
func inspect(dir string, now identity) (run.Contents, error) {
	there, err := begun(dir)
	if err != nil {
		return run.Contents{}, err
	}
	_, err = os.Stat(filepath.Join(dir, run.ManifestName))
	finished := err == nil
	switch {
	case there == nil && finished:
		return run.Contents{Holds: "the output of another stage"}, nil
	case there == nil:
		return run.Contents{}, nil
	}
	c := run.Contents{Holds: "a run that stopped early", Resumable: true}
	if finished {
		c.Holds = "a finished run"
	}
	if c.Differs = there.digest() != now.digest(); c.Differs {
		c.Changes = there.differs(now)
	}
	return c, nil
}

// load loads the models.
func (r *session) load() (err error) {
	if r.policy, err = openPolicy(r.Settings); err != nil {
		return err
	}
	r.judge, err = r.Scoring.Open()
	return err
}

// admit looks at the prompts before hours of work.
func (r *session) admit() error {
	var short []prompt
	for _, p := range r.prompts {
		err := cmp.Or(checkPrompt(r.policy, p), r.judge.Accepts(p.question()))
		switch {
		case err == nil:
			short = append(short, p)
		case tooLong(err) && r.TooLong == Skip:
			r.summary.Skipped = append(r.summary.Skipped, p.ID)
		case tooLong(err):
			return fmt.Errorf("prompt %s: %w: leave it out, or set too_long to %s", p.ID, err, Skip)
		default:
			return fmt.Errorf("prompt %s: %w", p.ID, err)
		}
	}
	if r.prompts = short; len(short) == 0 {
		return fmt.Errorf("all %d prompts are too long", len(r.summary.Skipped))
	}
	return nil
}

// tooLong reports whether a prompt leaves the policy or the judge no room for an answer.
func tooLong(err error) bool {
	var answered *policy.TooLong
	var judged *judge.TooLong
	return errors.As(err, &answered) || errors.As(err, &judged)
}

// begin makes the directory ready for parts.
func (r *session) begin() error {
	if r.Overwrite && !r.claim.Resumed {
		// The manifest goes first: what is half removed is not finished.
		for _, name := range []string{run.ManifestName, filepath.Base(partsDir(r.Out)), SamplesFile} {
			if err := os.RemoveAll(filepath.Join(r.Out, name)); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(partsDir(r.Out), 0o777); err != nil {
		return err
	}
	if err := sweep(r.Out); err != nil {
		return err
	}
	text, err := json.Marshal(r.identity)
	r.manifest.Extra = map[string]json.RawMessage{extraIdentity: text}
	return errors.Join(err, r.identity.write(r.Out))
}

// look finds what was drawn before.
func (r *session) look() (err error) {
	r.store, err = openStore(r.Out, table.Header{Stage: "rejection", Seed: r.Seed, Digests: table.Digests{
		Model: r.manifest.Inputs["model[0]"], Tokenizer: r.policy.TokenizerDigest(),
		Sampling: r.identity.digest(), Scoring: r.identifyScoring(r.manifest.Inputs),
	}})
	if err != nil {
		return err
	}
	r.tally = newTally(len(r.prompts), r.Samples)
	r.shelf, err = r.store.index(r.prompts, r.Samples, func(i int, c table.Candidate, scored bool) {
		if scored {
			r.tally.count(i, c)
		}
	})
	r.tally.begin()
	r.batch.began = time.Now()
	return err
}

// Resumable reports whether dir holds samples that a run with the manifest would draw
// again. Samples whose identity cannot be read are an error.
func Resumable(dir string, s Settings, m run.Manifest) (bool, error) {
	c, err := inspect(dir, s.identify(m.Inputs))
	return c.Same(), err
}
