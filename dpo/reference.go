package dpo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/chat"
	"github.com/herd-lm/herd/core/checkpoint"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/pack"
	"github.com/herd-lm/herd/core/score"
	"github.com/herd-lm/herd/core/tokenizer"
	"github.com/herd-lm/herd/data"
	"github.com/herd-lm/herd/data/example"
)

// referenced returns the examples with the reference's log-probabilities: those
// of the table that an earlier session left in the output directory if they
// were computed with the same reference, or new ones.
func referenced(ctx context.Context, tok *tokenizer.Tokenizer, s Settings, m checkpoint.Manifest) ([]pack.Example, error) {
	format, err := chat.New(tok)
	if err != nil {
		return nil, err
	}
	rows, examples, err := example.LoadRows(s.Preferences, s.Limit, func(row data.Preference) ([]pack.Example, error) {
		return example.One(Example(format, row, s.MaskFormat))
	})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.Out, "preferences.arrow")
	digest, err := checkpoint.DigestJSON([]any{m.Inputs, s.MaskFormat, s.MaxTokens, s.TooLong, tok.Digest(), s.Precision})
	if err != nil {
		return nil, err
	}
	if known, err := readReference(path, digest, rows); err != nil || known != nil {
		return known.into(examples), err
	}
	params, err := model.Load(s.reference(), false)
	if err != nil {
		return nil, err
	}
	params.Precision = s.Precision // as the policy's: one yardstick for both
	logps, err := score.Sequences(ctx, params, examples, max(score.MicroTokens, s.MaxTokens))
	if err != nil {
		return nil, err
	}
	if err := writeReference(path, digest, rows, logps, m); err != nil {
		return nil, err
	}
	return reference(logps).into(examples), nil
}

// reference is the log-probabilities of the chosen and rejected response of each row.
type reference [][]float64

func (r reference) into(examples []pack.Example) []pack.Example {
	for i, logps := range r {
		examples[i].Responses[chosen].Reference = logps[chosen]
		examples[i].Responses[rejected].Reference = logps[rejected]
	}
	return examples
}

// readReference returns the columns of path, or nil if there is no such table or it
// was computed with something else.
func readReference(path, digest string, rows []data.Preference) (reference, error) {
	known, _, err := data.ReadAll[data.Preference](path)
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

func writeReference(path, digest string, rows []data.Preference, logps [][]float64, m checkpoint.Manifest) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	for i := range rows {
		rows[i].RefChosenLogP, rows[i].RefRejectedLogP, rows[i].RefDigest = &logps[i][chosen], &logps[i][rejected], digest
	}
	return data.WriteAll(path, data.Header{Stage: m.Stage, Digests: data.Digests{Model: m.Inputs["reference[0]"]}}, rows)
}
