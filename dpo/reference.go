package dpo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/run"
	"github.com/herd-lm/herd/core/text/template"
	"github.com/herd-lm/herd/core/text/tokenizer"
	"github.com/herd-lm/herd/core/train"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
)

// referenced makes the examples with the log-probabilities of the reference. It reads these from
// the table in the output directory if an earlier session computed them with the same reference,
// or computes them.
type referenced struct {
	Settings
	rows   []table.Preference
	digest string // of everything that determines the log-probabilities
	known  bool
}

// examples runs before herd loads the weights to train, so a separate reference model does not
// take memory at the same time.
func (r *referenced) examples(ctx context.Context, t *train.Task) (examples []pack.Example, count pack.Count, err error) {
	format, err := r.Format(t.Tokenizer)
	if err != nil {
		return nil, count, err
	}
	if err := r.checkReference(t.Tokenizer); err != nil {
		return nil, count, err
	}
	if err := table.FitTogether(r.Preferences...); err != nil {
		return nil, count, err
	}
	r.rows, examples, count, err = example.LoadRows(r.Preferences, r.Limit, func(row table.Preference) ([]pack.Example, error) {
		if err := table.Fits[table.Preference](row.Extra); err != nil { // before the reference is computed
			return nil, err
		}
		return example.One(Example(format, row, r.MaskFormat))
	})
	if err != nil {
		return nil, count, err
	}
	with := []any{t.Manifest.Inputs, r.MaskFormat, r.MaxTokens, r.TooLong, t.Tokenizer.Digest(), r.Precision}
	if !r.LoRA.IsZero() {
		with = append(with, r.LoRA.BaseDType)
	}
	if r.digest, err = run.DigestJSON(with); err != nil {
		return nil, count, err
	}
	known, err := readReference(r.path(), r.digest, r.rows)
	if r.known = known != nil; err != nil || r.known {
		return known.into(examples), count, err
	}
	if r.ownReference() {
		return examples, count, nil // complete asks the model itself once it is loaded
	}
	at, err := model.Locate(r.Reference, "")
	if err != nil {
		return nil, count, err
	}
	params, err := at.Load(false)
	if err != nil {
		return nil, count, err
	}
	return examples, count, r.compute(ctx, params, examples, t.Manifest)
}

// checkReference returns an error if the reference reads other token ids than the model, or has no
// log-probabilities.
func (r *referenced) checkReference(tok *tokenizer.Tokenizer) error {
	if r.ownReference() {
		return nil
	}
	at, err := model.Locate(r.Reference, "")
	if err != nil {
		return err
	}
	c, err := at.Config()
	if err != nil {
		return err
	}
	theirs, err := template.LoadOver(at.Model, at.Tokenizer(), "")
	switch {
	case err != nil:
		return fmt.Errorf("reference: %w", err)
	case c.IsReward():
		return fmt.Errorf("reference: %s is a reward model, which has no log-probabilities", r.Reference)
	}
	if err := tok.SameVocabulary(theirs); err != nil {
		return fmt.Errorf("reference: %s cannot read the tokens of the model: %w", r.Reference, err)
	}
	if tok.VocabSize() > c.VocabSize {
		return fmt.Errorf("reference: %s has weights for %d tokens, the model's tokenizer has %d", r.Reference, c.VocabSize, tok.VocabSize())
	}
	return nil
}

// complete computes the log-probabilities with the model itself before its first step, so that
// the reference takes no memory. It switches off a new adapter; an adapter that training
// continues from is part of the reference.
func (r *referenced) complete(ctx context.Context, t *train.Task) error {
	if r.known {
		return nil
	}
	at, err := model.Locate(r.Model, r.Adapter)
	if err != nil {
		return err
	}
	p := t.Params
	if at.Adapter == "" {
		p = p.Off()
	}
	return r.compute(ctx, p, t.Examples, t.Manifest)
}

// compute sets the log-probabilities of the examples and writes them to the table.
func (r *referenced) compute(ctx context.Context, p *model.Params, examples []pack.Example, m run.Manifest) error {
	p.Precision = r.Precision // the same as the policy's, so that rewards start at 0
	logps, err := score.Sequences(ctx, p, examples, r.MicroTokens)
	if err != nil {
		return err
	}
	r.known = true
	reference(logps).into(examples)
	return writeReference(r.path(), r.digest, r.rows, logps, m)
}

func (r *referenced) path() string { return filepath.Join(r.Out, "preferences.arrow") }

// reference holds the log-probabilities of the chosen and the rejected response of each row,
// of shape [rows][2].
type reference [][]float64

func (r reference) into(examples []pack.Example) []pack.Example {
	for i, logps := range r {
		examples[i].Responses[chosen].Reference = logps[chosen]
		examples[i].Responses[rejected].Reference = logps[rejected]
	}
	return examples
}

// readReference returns the columns of the table at path, or nil if there is no table or it has
// another digest.
func readReference(path, digest string, rows []table.Preference) (reference, error) {
	known, _, err := table.ReadAll[table.Preference](path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(known) != len(rows) {
		return nil, nil
	}
	logps := make(reference, len(rows))
	for i, row := range known {
		if row.RefDigest != digest || row.ID != rows[i].ID || row.RefChosenLogP == nil || row.RefRejectedLogP == nil {
			return nil, nil
		}
		logps[i] = []float64{chosen: *row.RefChosenLogP, rejected: *row.RefRejectedLogP}
	}
	return logps, nil
}

func writeReference(path, digest string, rows []table.Preference, logps [][]float64, m run.Manifest) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	for i := range rows {
		rows[i].RefChosenLogP, rows[i].RefRejectedLogP, rows[i].RefDigest = &logps[i][chosen], &logps[i][rejected], digest
	}
	return table.WriteAll(path, table.Header{Stage: m.Stage, Digests: table.Digests{Model: m.Inputs["reference[0]"]}}, rows)
}
