package recipes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval"
	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

// evaluationFile lies in a stage's directory.
const evaluationFile = "evaluation.json"

// evaluation holds the measures of a stage.
type evaluation struct {
	Digest   string        `json:"digest"` // of the stage, and of the settings and data of the evaluation
	Measures eval.Measures `json:"measures"`
	Answers  []eval.Answer `json:"answers,omitempty"`
}

// evaluate measures the result of stage i, unless it has been measured before.
func (e *engine) evaluate(ctx context.Context, i int, s Stage, digest string) (eval.Measures, error) {
	path := filepath.Join(s.out(), evaluationFile)
	digest, err := e.evaluationDigest(digest)
	if err != nil {
		return nil, err
	}
	now, err := storedEvaluation(s.out())
	if err != nil || now.Digest != digest {
		now = evaluation{Digest: digest}
		if now.Measures, now.Answers, err = s.Kind.measure(ctx, e, s); err != nil {
			return nil, fmt.Errorf("evaluation: %w", err)
		}
		if err := addRows(now.Measures, s.out()); err != nil {
			return nil, fmt.Errorf("evaluation: %w", err)
		}
		if err := writeEvaluation(path, now); err != nil {
			return nil, fmt.Errorf("evaluation: %w", err)
		}
	}
	if now.Answers != nil {
		e.before = now.Answers
	}
	return now.Measures, nil
}

// addRows adds what became of the rows of a stage, which its manifest says.
func addRows(m eval.Measures, dir string) error {
	made, err := run.ReadManifest(dir)
	if err != nil {
		return err
	}
	var counts map[string]int
	if text, ok := made.Extra[train.ExtraRows]; ok {
		if err := json.Unmarshal(text, &counts); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(dir, run.ManifestName), err)
		}
		m.AddRows(counts)
	}
	return nil
}

// evaluationDigest covers the stage, the settings and data of the evaluation, and the answers of
// the stage before, for the win rate.
func (e *engine) evaluationDigest(stage string) (string, error) {
	tables := make(map[string]string)
	for _, t := range []string{e.Evaluate.Documents, e.Evaluate.Chats, e.Evaluate.Prompts, e.Evaluate.Preferences} {
		if t == "" {
			continue
		}
		var err error
		if tables[t], err = run.DigestFile(e.table(t)); err != nil {
			return "", fmt.Errorf("evaluate: %w", err)
		}
	}
	for _, file := range e.Evaluate.Check.Files() {
		var err error
		if tables[file], err = run.DigestFile(file); err != nil {
			return "", fmt.Errorf("evaluate: check: %w", err)
		}
	}
	return run.DigestJSON([]any{stage, e.Evaluate, tables, e.before})
}

// table returns the path of a table that the recipe names.
func (e *engine) table(name string) string {
	if isData(name) {
		return filepath.Join(e.dir, name)
	}
	return name
}

func writeEvaluation(path string, e evaluation) error {
	b, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		return err
	}
	return disk.WriteBytes(path, append(b, '\n'))
}

// measurement measures one trait of a model that a stage has written.
type measurement func(context.Context, *subject, Stage) error

// measureModel takes all measurements of the model that a stage has written.
func (e *engine) measureModel(ctx context.Context, s Stage, steps []measurement) (eval.Measures, []eval.Answer, error) {
	params, err := model.Load(s.out(), false)
	if err != nil {
		return nil, nil, err
	}
	tok, err := tokenizer.Load(s.out())
	if err != nil {
		return nil, nil, err
	}
	subject := &subject{engine: e, params: params, tok: tok, measures: make(eval.Measures)}
	for _, step := range steps {
		if err := step(ctx, subject, s); err != nil {
			return nil, nil, err
		}
	}
	return subject.measures, subject.answered, nil
}

// subject is a model under test.
type subject struct {
	*engine
	params   *model.Params
	tok      *tokenizer.Tokenizer
	measures eval.Measures
	answered []eval.Answer
}

func (s *subject) add(m eval.Measures, err error) error {
	for name, x := range m {
		s.measures[name] = x
	}
	return err
}

// losses measures the loss on documents and chats.
func losses(ctx context.Context, s *subject, _ Stage) error {
	if s.Evaluate.Documents != "" {
		docs, _, err := table.ReadAll[table.Document](s.table(s.Evaluate.Documents))
		if err != nil {
			return err
		}
		if err := s.add(eval.Texts(ctx, s.params, s.tok, docs, s.Evaluate.Length)); err != nil {
			return err
		}
	}
	if s.Evaluate.Chats == "" || s.silent() {
		return nil
	}
	chats, _, err := table.ReadAll[table.Chat](s.table(s.Evaluate.Chats))
	if err != nil {
		return err
	}
	return s.add(eval.Chats(ctx, s.params, s.tok, chats))
}

// silent reports whether the model has no chat template, as a base model may: pretraining has no
// setting for one. It gets no measures on chats.
func (s *subject) silent() bool {
	_, err := template.New(s.tok)
	return errors.Is(err, template.ErrMissing)
}

// rewards measures how often a reward model prefers the chosen answer.
func rewards(ctx context.Context, s *subject, _ Stage) error {
	pairs, err := s.pairs()
	if err != nil || pairs == nil {
		return err
	}
	return s.add(eval.Rewards(ctx, s.params, s.tok, pairs))
}

// preferences measures the policy against the model that it started from.
func preferences(ctx context.Context, s *subject, trained Stage) error {
	pairs, err := s.pairs()
	if err != nil || pairs == nil {
		return err
	}
	at, err := trained.start()
	if err != nil {
		return err
	}
	reference, err := at.Load(false)
	if err != nil {
		return err
	}
	return s.add(eval.Preferences(ctx, s.params, reference, s.tok, pairs))
}

func (s *subject) pairs() ([]table.Preference, error) {
	if s.Evaluate.Preferences == "" {
		return nil, nil
	}
	pairs, _, err := table.ReadAll[table.Preference](s.table(s.Evaluate.Preferences))
	return pairs, err
}

// answers lets the model answer the prompts, and compares it with the stage before.
func answers(ctx context.Context, s *subject, _ Stage) (err error) {
	s.answered, err = s.answers(ctx)
	return err
}

func (s *subject) answers(ctx context.Context) ([]eval.Answer, error) {
	if s.Evaluate.Prompts == "" || s.silent() {
		return nil, nil
	}
	prompts, _, err := table.ReadAll[table.Chat](s.table(s.Evaluate.Prompts))
	if err != nil {
		return nil, err
	}
	check, err := s.Evaluate.judge()
	if err != nil {
		return nil, err
	}
	answers, err := eval.Answers(ctx, s.params, s.tok, prompts, s.Evaluate.Settings, check)
	if err != nil {
		return nil, err
	}
	s.add(eval.Quality(answers), nil)
	if s.before != nil {
		if s.measures["win_rate"], err = eval.WinRate(answers, s.before); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (e Evaluate) validate() error {
	switch {
	case e.Prompts == "" && !e.Check.IsZero():
		return fmt.Errorf("check is set, but no prompts: the table of prompts whose answers it judges")
	case e.Prompts == "":
		return nil
	}
	if err := e.Settings.Validate(); err != nil {
		return err
	}
	_, err := e.judge()
	return err
}

// judge returns the rule of the settings, or nil if they have none: then the rows of the
// prompts say what is correct.
func (e Evaluate) judge() (judge.Judge, error) {
	if e.Check.IsZero() {
		return nil, nil
	}
	return rule.New(e.Check)
}
