package rejection

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/herd-lm/herd/core/policy"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/judge"
)

// prompt is a row of the input. A final assistant message is the reference, not part of the prompt.
type prompt struct {
	table.Chat
	reference string
}

// key identifies a prompt by its id and its text. A stored response belongs to a prompt only if
// both are the same.
func key(id string, row table.Chat) string {
	return id + "/" + table.ContentID(table.Chat{Messages: row.Messages, Tools: row.Tools})
}

func (p prompt) key() string { return key(p.ID, p.Chat) }

// keyOf returns the key of the prompt that a stored row answers.
func keyOf(row table.Sample) string {
	if len(row.Parents) != 1 {
		return ""
	}
	return key(row.Parents[0], table.Chat{Messages: row.Prompt, Tools: row.Tools})
}

// loadPrompts reads the prompts. Rows with the same id and text are one prompt; repeated counts those
// after the first.
func loadPrompts(s Settings) (prompts []prompt, repeated int, err error) {
	if err := table.FitTogether(s.Prompts...); err != nil {
		return nil, 0, err
	}
	known := make(map[string]string) // id to key
	for _, path := range s.Prompts {
		for row, err := range table.Scan[table.Chat](path) {
			if err != nil {
				return nil, 0, err
			}
			if s.Limit > 0 && len(prompts) == s.Limit {
				return prompts, repeated, nil
			}
			p, err := newPrompt(row)
			if err != nil {
				return nil, 0, fmt.Errorf("%s: %w", path, err)
			}
			before, again := known[p.ID]
			if again && before != p.key() {
				return nil, 0, fmt.Errorf("%s: row %s has the id of a row before it that asks something else: samples are kept by id, give each prompt its own", path, p.ID)
			}
			if again {
				repeated++
				continue
			}
			known[p.ID] = p.key()
			prompts = append(prompts, p)
		}
	}
	if len(prompts) == 0 {
		return nil, 0, fmt.Errorf("%v hold no prompts", s.Prompts)
	}
	return prompts, repeated, nil
}

func newPrompt(row table.Chat) (prompt, error) {
	p := prompt{Chat: row}
	q := judge.Prompt(row)
	p.Messages, p.reference = q.Prompt, q.Reference
	if len(p.Messages) == 0 {
		return p, fmt.Errorf("row %s asks nothing: it has no message before the assistant's", row.ID)
	}
	return p, p.fits()
}

// fits returns an error if the stage's tables could not hold the prompt's extra columns.
func (p prompt) fits() error {
	err := cmp.Or(table.Fits[table.Sample](p.Extra), table.Fits[table.Chat](p.Extra), table.Fits[table.Preference](p.Extra))
	if err != nil {
		return fmt.Errorf("row %s: %w", p.ID, err)
	}
	return nil
}

// row returns a row of samples with the candidates.
func (p prompt) row(candidates []table.Candidate) table.Sample {
	return table.Sample{
		Origin:     table.Origin{Source: "rejection", Parents: []string{p.ID}, Meta: p.Meta, Extra: p.Extra},
		Prompt:     p.Messages,
		Tools:      p.Tools,
		Reference:  p.reference,
		Candidates: candidates,
	}
}

// question returns the question for the judge.
func (p prompt) question() judge.Question { return judge.Sample(p.row(nil)).Question }

// checkPrompts refuses or skips prompts that are too long or invalid, before hours of sampling.
func (r *session) checkPrompts() error {
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
		return fmt.Errorf("all %d prompts are too long: they leave no room for an answer", len(r.summary.Skipped))
	}
	return nil
}

// tooLong reports whether a prompt leaves the policy or the judge no room for an answer.
func tooLong(err error) bool {
	var answered *policy.TooLong
	var judged *judge.TooLong
	return errors.As(err, &answered) || errors.As(err, &judged)
}
