package train

import (
	"fmt"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/train/pack"
)

// Plan describes a run before its first step.
type Plan struct {
	Stage      string `json:"stage"`
	Steps      int    `json:"steps"`
	Parameters int    `json:"parameters"`
	Trained    int    `json:"trained,omitempty"` // parameters of an adapter; 0: all parameters are trained
	Memory     Memory `json:"memory"`

	Rows pack.Count `json:"rows,omitzero"` // what became of the rows of the tables
}

// Memory is what a run needs, in bytes.
type Memory struct {
	Planned     int64 `json:"planned"`     // the most that the process holds at once, including
	Weights     int64 `json:"weights"`     // weights, gradients and moments,
	Activations int64 `json:"activations"` // and the arrays of a micro-batch's computation
}

const (
	// garbageMost is the garbage in bytes that the collector allows, if the live heap is at
	// least as large: a batch leaves some garbage, and a collection takes milliseconds.
	garbageMost = 4 << 20
	// batchBytes is the size of a token in a token.Batch: seven numbers of 4 bytes.
	batchBytes = 7 * 4
)

// budget plans the memory of the run. The large arrays are allocated by now, though hardly
// touched. It returns an error if the run does not fit.
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
