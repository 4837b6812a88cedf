package train

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"slices"

	"github.com/herd-lm/herd/core/disk"
	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/run"
)

// The files of a profile, in the model directory. They describe the session that wrote them: a
// run that is resumed without a profile keeps them.
const (
	ProfileTable = "profile.txt" // where the time of the steps went
	ProfileCPU   = "cpu.pprof"   // for go tool pprof
)

// roof is the peak of the machine: operations and bytes per second.
type roof struct{ flops, bytes float64 }

// profiled trains as train does and writes a profile. The run comes first: if the profile
// cannot be written, the model or checkpoint exists all the same.
func (l *loop) profiled(ctx context.Context) error {
	top := roof{l.Params.Precision.Peak(), kernel.Bandwidth()}
	debug.FreeOSMemory() // the memory of these measurements would count as the run's
	memory.ResetPeak()
	l.program.Profile()
	var samples bytes.Buffer
	if err := pprof.StartCPUProfile(&samples); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	err := l.train(ctx)
	pprof.StopCPUProfile()
	var stopped *run.Interrupted
	if err != nil && !errors.As(err, &stopped) || l.began.IsZero() {
		return err
	}
	if failed := l.writeProfile(top, samples.Bytes()); failed != nil {
		return errors.Join(err, fmt.Errorf("train: the run is saved, but not its profile: %w", failed))
	}
	return err
}

func (l *loop) writeProfile(top roof, samples []byte) error {
	return errors.Join(
		disk.WriteFile(filepath.Join(l.Dir, ProfileTable), l.table(top).write),
		disk.WriteBytes(filepath.Join(l.Dir, ProfileCPU), samples),
	)
}

// rows returns the costs of this session's steps, the most costly first: the operations of the
// graph, and the other phases of the loop.
func (l *loop) rows() []graph.Cost {
	rows := l.program.Costs()
	other := l.watch.spent[computing]
	for _, c := range rows {
		other -= c.Time
	}
	steps := l.step - l.beganStep
	// The norm reads the gradient; AdamW reads it again, and reads and writes the
	// weights and both moments.
	moved := float64(steps) * 4 * 8 * float64(len(l.Params.W))
	for _, c := range []graph.Cost{
		{Name: "batches", Time: l.watch.spent[planning]},
		{Name: "other", Time: other},
		{Name: "metrics", Time: l.watch.spent[metering]},
		{Name: "optimiser", Time: l.watch.spent[updating], Bytes: moved},
		{Name: "checkpoints", Time: l.watch.spent[saving]},
		{Name: "reports", Time: l.watch.spent[reporting]},
	} {
		if c.Time > 0 {
			rows = append(rows, c)
		}
	}
	slices.SortStableFunc(rows, func(a, b graph.Cost) int { return cmp.Compare(b.Time, a.Time) })
	return rows
}
