package train

import "time"

// phase is a part of the loop's work.
type phase int

const (
	planning  phase = iota // packing the micro-batches of a step
	computing              // running the graph
	metering               // the stage's metrics
	updating               // gradient norm and AdamW
	saving                 // checkpoints during the run
	reporting              // metrics.jsonl and Options.Report
	phases
)

// stopwatch divides the time of the steps among the phases. A lap charges all the time since
// the previous lap, so the phases sum to the whole.
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
