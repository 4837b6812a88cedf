package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/herd-lm/herd/core/text/chat"
)

// Checker judges responses. Any number of goroutines may ask at once.
type Checker interface {
	// Check returns an error where a response could not be judged (the row has no
	// reference, a command is broken): that is not a wrong answer.
	Check(ctx context.Context, q Question, response string) (Outcome, error)
}

// Question is what a response answers.
type Question struct {
	ID        string         // of the row, for errors and commands
	Prompt    []chat.Message // what was asked
	Meta      map[string]string
	Reference string // the closing turn of the assistant, if the row had one
}

// Outcome says what a response is worth.
type Outcome struct {
	Correct bool
	Score   float64 // 0 to 1; of a checker that knows only right and wrong, 0 or 1
	Note    string  // why, for people: the same for the same response
}

// New makes the checker that s describes. A pattern, a schema or a command that
// is not there is an error now, not at the first response.
func New(s Settings) (Checker, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c, err := makers[s.Kind](s)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if s.After != "" {
		c = conclusion{s.After, c}
	}
	return c, nil
}

// makers has every kind of checker.
var makers = map[string]func(Settings) (Checker, error){
	Exact:   newExact,
	Command: newCommand,
	Numeric: newNumeric,
	Regex:   newRegex,
	Schema:  newSchema,
}

// conclusion judges what follows the last mark, which ends the thoughts of a
// model that reasons. Who did not come to an end has not answered.
type conclusion struct {
	mark string
	Checker
}

func (c conclusion) Check(ctx context.Context, q Question, response string) (Outcome, error) {
	i := strings.LastIndex(response, c.mark)
	if i < 0 {
		return wrong("there is no %q in the response", c.mark), nil
	}
	return c.Checker.Check(ctx, q, response[i+len(c.mark):])
}

// reference returns what a response to q is compared with: what the row says
// under key, else the answer that the row came with.
func (q Question) reference(key string) (string, error) {
	if text := q.Meta[key]; strings.TrimSpace(text) != "" {
		return text, nil
	}
	if q.Reference != "" {
		return q.Reference, nil
	}
	return "", fmt.Errorf("row %s: there is no reference to check against: the row has neither meta %q nor a closing turn of the assistant", q.ID, key)
}

func right(note string) Outcome { return Outcome{Correct: true, Score: 1, Note: note} }

func wrong(format string, a ...any) Outcome { return Outcome{Note: fmt.Sprintf(format, a...)} }

// judged is right or wrong with the same note.
func judged(correct bool, format string, a ...any) Outcome {
	o := wrong(format, a...)
	if correct {
		o = right(o.Note)
	}
	return o
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
