package rule

import (
	"context"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/judge"
)

// New returns the judge that s describes. It scores from 0 to 1; a rule that knows only right
// and wrong scores 0 or 1. New returns an error if a pattern, a schema or a command is
// missing or broken.
func New(s Settings) (judge.Judge, error) {
	r, err := newRule(s)
	if err != nil {
		return nil, err
	}
	return judge.Each(r), nil
}

func newRule(s Settings) (judge.Single, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	r, err := makers[s.Kind](s)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if s.After != "" {
		r = conclusion{s.After, r}
	}
	return r, nil
}

// makers has a constructor for every kind of rule.
var makers = map[string]func(Settings) (judge.Single, error){
	Exact:   newExact,
	Command: newCommand,
	Numeric: newNumeric,
	Regex:   newRegex,
	Schema:  newSchema,
}

// conclusion judges only what follows the last mark, which ends the thoughts of a reasoning
// model. An answer without the mark is wrong: the model never finished thinking.
type conclusion struct {
	mark string
	judge.Single
}

func (c conclusion) Verdict(ctx context.Context, q judge.Question, a judge.Answer) (judge.Verdict, error) {
	i := strings.LastIndex(a.Text, c.mark)
	if i < 0 {
		return wrong("there is no %q in the response", c.mark), nil
	}
	a.Text = a.Text[i+len(c.mark):]
	return c.Single.Verdict(ctx, q, a)
}

// referenceOf returns the text to compare an answer with: the row's meta under key, else the
// answer that the prompt came with.
func referenceOf(q judge.Question, key string) (string, error) {
	if text := q.Meta[key]; strings.TrimSpace(text) != "" {
		return text, nil
	}
	if q.Reference != "" {
		return q.Reference, nil
	}
	return "", fmt.Errorf("row %s: there is no reference to check against: the row has neither meta %q nor a closing turn of the assistant", q.ID, key)
}

func right(note string) judge.Verdict {
	return judge.Verdict{Correct: judge.Correct, Score: 1, Note: note}
}

func wrong(format string, a ...any) judge.Verdict {
	return judge.Verdict{Correct: judge.Wrong, Note: fmt.Sprintf(format, a...)}
}

// verdict is right or wrong, with the same note.
func verdict(correct bool, format string, a ...any) judge.Verdict {
	v := wrong(format, a...)
	if correct {
		v = right(v.Note)
	}
	return v
}

// brief shortens text for a note, in one line.
func brief(text string) string {
	const most = 160
	line := []rune(strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "\uFFFD"))
	if len(line) > most {
		line = append(line[:most-1], '…')
	}
	return string(line)
}
