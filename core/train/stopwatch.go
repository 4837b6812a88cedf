package train

import "time"

// phase is what the loop does at a time.
type phase int

const (
	planning  phase = iota // packing the micro-batches of a step
	computing              // running the graph
	metering               // the stage's own metrics
	updating               // gradient norm and AdamW
	saving                 // checkpoints on the way
	reporting              // metrics.jsonl, and whoever watches
	phases
)

// stopwatch shares the time of the steps out among the phases: a lap charges all
// that passed since the one before, so that nothing is left over.
type stopwatch struct {
	last  time.Time
	spent [phases]time.Duration
}

func (w *stopwatch) lap(p phase) {
	now := time.Now()
	w.spent[p] += now.Sub(w.last)
	w.last = now
}

// total returns the time from the start to the last lap.
func (w *stopwatch) total() (sum time.Duration) {
	for _, d := range w.spent {
		sum += d
	}
	return sum
}
