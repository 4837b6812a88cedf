package run

import "fmt"

// Interrupted reports that a run stopped early and can be resumed.
type Interrupted struct {
	Dir         string // of the output, where progress is saved
	Step, Steps int    // done, and in all
	Cause       error  // why the run stopped
}

func (e *Interrupted) Error() string {
	return fmt.Sprintf("stopped after step %d of %d; progress is saved in %s", e.Step, e.Steps, e.Dir)
}

func (e *Interrupted) Unwrap() error { return e.Cause }
