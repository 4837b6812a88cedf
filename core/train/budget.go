package train

import (
	"fmt"

	"github.com/herd-lm/herd/core/memory"
)

// Plan is what a run is going to be.
type Plan struct {
	Stage      string `json:"stage"`
	Steps      int    `json:"steps"`
	Parameters int    `json:"parameters"`
	Trained    int    `json:"trained,omitempty"` // of an adapter; 0: all parameters
	Memory     Memory `json:"memory"`
}

// Memory is what a run takes, in bytes.
type Memory struct {
	Planned     int64 `json:"planned"`     // the most that the process has in memory at once; of this
	Weights     int64 `json:"weights"`     // are weights, gradients and moments,
	Activations int64 `json:"activations"` // and the arrays that a micro-batch is computed in
}

const (
	// garbageMost is for how many bytes of garbage the collector waits, at most as
	// many as are in use: a batch leaves some, and a collection takes milliseconds.
	garbageMost = 4 << 20
	// batchBytes is what a token takes in a token.Batch: seven numbers.
	batchBytes = 7 * 4
)

// budget plans the memory of the run, whose large arrays have been allocated,
// though hardly been touched. It refuses a run that would not fit.
func (l *loop) budget() error {
	now := memory.Settle()
	l.garbage = int(min(100, max(1, 100*garbageMost/now.Heap)))
	l.memory = Memory{
		Planned: now.Total() + now.Heap*int64(l.garbage)/100 +
			l.program.ScratchBytes() + batchBytes*int64(l.plan.StepTokens(l.steps)),
		Weights:     l.Params.Bytes(),
		Activations: l.program.Plan.ArenaBytes,
	}
	if err := memory.CheckTotal("weights, activations and examples", l.memory.Planned); err != nil {
		return fmt.Errorf("train: %w; %s", err, l.program.Advice())
	}
	return nil
}
