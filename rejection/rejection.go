package rejection

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/herd-lm/herd/core/chat"
	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data"
)

// The files that the stage writes to its directory.
const (
	SamplesFile     = "samples.arrow"     // every prompt with all its candidates and their scores
	ChatsFile       = "chats.arrow"       // the best response to each prompt, for supervised fine-tuning
	PreferencesFile = "preferences.arrow" // best against worst, for preference optimisation
)

// blockPrompts is how many prompts are answered and scored before they are
// written: what a killed run may have to do again.
const blockPrompts = 256

// Progress is what has been done after a block of prompts.
type Progress struct {
	Prompts, All int // answered so far, and in all
	Samples      int
	MeanScore    float64 // of all samples so far
	PickedScore  float64 // mean over prompts of the one picked: the best that ended by itself
	Remaining    time.Duration
}

// Options are how a run is conducted; they do not change what comes out.
type Options struct {
	Resume    bool
	Overwrite bool
	Report    func(Progress) // may be nil
}

// Run answers and scores all prompts. Finished blocks survive a kill: a resumed
// run writes the same bytes as an unbroken one.
func Run(ctx context.Context, s Settings, o Options) error {
	if err := s.Validate(); err != nil {
		return err
	}
	manifest, err := s.Manifest()
	if err != nil {
		return err
	}
	prompts, err := loadPrompts(s)
	if err != nil {
		return fmt.Errorf("rejection: %w", err)
	}
	if err := prepare(s.Out, manifest, o); err != nil {
		return fmt.Errorf("rejection: %w", err)
	}
	r, err := newRun(s, manifest)
	if err != nil {
		return fmt.Errorf("rejection: %w", err)
	}
	if err := r.answerAll(ctx, prompts, o.Report); err != nil {
		if ctx.Err() != nil {
			return &train.Interrupted{Dir: s.Out, Step: r.progress.Prompts, Steps: len(prompts), Cause: err}
		}
		return fmt.Errorf("rejection: %w", err)
	}
	if err := r.finish(len(prompts)); err != nil {
		return fmt.Errorf("rejection: %w", err)
	}
	return nil
}

// loadPrompts reads the chats, without a closing turn of the assistant.
func loadPrompts(s Settings) ([]data.Chat, error) {
	var prompts []data.Chat
	for _, path := range s.Prompts {
		for row, err := range data.Scan[data.Chat](path) {
			if err != nil {
				return nil, err
			}
			if s.Limit > 0 && len(prompts) == s.Limit {
				return prompts, nil
			}
			if n := len(row.Messages); n > 0 && row.Messages[n-1].Role == chat.Assistant {
				row.Messages = row.Messages[:n-1]
			}
			if len(row.Messages) == 0 {
				return nil, fmt.Errorf("%s: row %s asks nothing: it has no message before the assistant's", path, row.ID)
			}
			prompts = append(prompts, row)
		}
	}
	if len(prompts) == 0 {
		return nil, fmt.Errorf("%v hold no prompts", s.Prompts)
	}
	return prompts, nil
}

// run is a stage in progress.
type run struct {
	Settings
	manifest checkpoint.Manifest
	tok      *tokenizer.Tokenizer
	format   *chat.Format
	engine   *sample.Engine
	stop     []token.ID // what ends an answer
	judge    *judge
	progress Progress
}

func newRun(s Settings, m checkpoint.Manifest) (*run, error) {
	at, err := model.Locate(s.Model, s.Adapter)
	if err != nil {
		return nil, err
	}
	tok, err := tokenizer.Load(at.Tokenizer())
	if err != nil {
		return nil, err
	}
	format, err := chat.New(tok)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at.Model, err)
	}
	policy, err := at.Pack(s.Precision)
	if err != nil {
		return nil, err
	}
	if policy.Config.IsReward() {
		return nil, fmt.Errorf("%s is a reward model: it cannot answer", at.Model)
	}
	engine := sample.NewEngine(policy, tok, sample.Options{Slots: s.Slots})
	j, err := newJudge(s.Reward)
	if err != nil {
		return nil, err
	}
	stop := policy.Config.StopIDs(format.Stop()...)
	return &run{Settings: s, manifest: m, tok: tok, format: format, engine: engine, stop: stop, judge: j}, nil
}

// answerAll works block by block, leaving out those that are done.
func (r *run) answerAll(ctx context.Context, prompts []data.Chat, report func(Progress)) error {
	began, before := time.Now(), 0
	r.progress.All = len(prompts)
	for i, block := range slices.Collect(slices.Chunk(prompts, blockPrompts)) {
		rows, err := readBlock(r.Out, i)
		if err != nil {
			return err
		}
		if rows == nil {
			if rows, err = r.answer(ctx, block); err != nil {
				return err
			}
			if err := r.writeBlock(i, rows); err != nil {
				return err
			}
		} else {
			before += len(rows)
		}
		r.count(rows)
		if done := r.progress.Prompts - before; report != nil && done > 0 {
			r.progress.Remaining = time.Since(began) / time.Duration(done) * time.Duration(len(prompts)-r.progress.Prompts)
			report(r.progress)
		}
	}
	return nil
}

func (r *run) count(rows []data.Sample) {
	p := &r.progress
	sum, best := p.MeanScore*float64(p.Samples), p.PickedScore*float64(p.Prompts)
	for _, row := range rows {
		for _, c := range row.Candidates {
			sum += *c.Score
			p.Samples++
		}
		best += *row.Candidates[Best(row.Candidates)].Score
		p.Prompts++
	}
	p.MeanScore, p.PickedScore = sum/float64(p.Samples), best/float64(p.Prompts)
}

// answer draws and scores the candidates for some prompts.
func (r *run) answer(ctx context.Context, prompts []data.Chat) ([]data.Sample, error) {
	rows := make([]data.Sample, len(prompts))
	requests := make([]sample.Request, len(prompts))
	for i, p := range prompts {
		prompt, err := r.format.Prompt(p.Messages)
		if err != nil {
			return nil, fmt.Errorf("prompt %s: %w", p.ID, err)
		}
		requests[i] = sample.Request{
			Prompt: prompt, Seeds: seeds(r.Seed, p.ID, r.Samples),
			Stop: r.stop, Settings: r.Settings.Settings,
		}
		rows[i] = data.Sample{
			Origin: data.Origin{Source: "rejection", Parents: []string{p.ID}, Meta: p.Meta},
			Prompt: p.Messages,
		}
	}
	err := r.engine.Generate(ctx, requests, func(i int, completions []sample.Completion) error {
		for k, c := range completions {
			// A sample may stop within a character; its ids keep the exact bytes.
			text := strings.ToValidUTF8(c.Text, "\uFFFD")
			rows[i].Candidates = append(rows[i].Candidates, data.Candidate{
				Text: text, IDs: c.IDs, LogProb: &c.LogProb, K: k, Finish: c.Finish, Seed: c.Seed,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, r.judge.score(ctx, rows)
}

// prepare makes the output directory, or refuses to touch what is in it.
func prepare(dir string, m checkpoint.Manifest, o Options) error {
	if _, err := os.Stat(filepath.Join(dir, checkpoint.ManifestName)); err == nil && !o.Overwrite {
		return fmt.Errorf("%s already holds a finished run: choose another directory, or --overwrite", dir)
	}
	blocks := blocksDir(dir)
	began, err := os.ReadFile(filepath.Join(blocks, "digest"))
	switch {
	case err == nil && o.Resume && string(began) != m.Digest:
		return fmt.Errorf("the run in %s was made with other settings or data: give those again, or start anew with --overwrite", dir)
	case err == nil && o.Resume:
		return nil
	case err == nil && !o.Overwrite:
		return fmt.Errorf("%s holds a run that was stopped: go on with --resume, or start anew with --overwrite", dir)
	}
	return errors.Join(
		os.RemoveAll(blocks),
		os.MkdirAll(blocks, 0o777),
		os.WriteFile(filepath.Join(blocks, "digest"), []byte(m.Digest), 0o666),
	)
}
