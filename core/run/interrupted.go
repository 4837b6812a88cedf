package run

import "fmt"

// Interrupted says that a run was stopped before its end and can be resumed.
type Interrupted struct {
	Dir         string
	Step, Steps int
	Cause       error
	Hint        string // how to go on; "" is how the stage's own command does
}

func (e *Interrupted) Error() string {
	hint := e.Hint
	if hint == "" {
		hint = "the same command with --resume goes on"
	}
	return fmt.Sprintf("stopped after step %d of %d; what was done is saved in %s: %s", e.Step, e.Steps, e.Dir, hint)
}

func (e *Interrupted) Unwrap() error { return e.Cause }
