package train_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/herd-lm/herd/core/memory"
	"github.com/herd-lm/herd/core/train"
)

// TestAnnounce: a run reports its plan before the first step, and a larger model plans more
// memory.
func TestAnnounce(t *testing.T) {
	announced := func(examples int) (plan train.Plan) {
		job := task(t, t.TempDir())
		job.Examples = counting(examples)
		times := 0
		job.Announce = func(p train.Plan) { plan, times = p, times+1 }
		job.Report = func(p train.Progress) {
			if times != 1 || p.Steps != plan.Steps {
				t.Errorf("%d plans before step %d of %d, the last of %d", times, p.Step, p.Steps, plan.Steps)
			}
		}
		if err := train.Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		n := len(job.Params.W)
		if plan.Stage != "pretrain" || plan.Parameters != n || plan.Memory.Weights != 16*int64(n) || plan.Memory.Activations <= 0 {
			t.Errorf("plan %+v for %d parameters", plan, n)
		}
		return plan
	}
	few, many := announced(60), announced(100_000)
	size := int64(100_000 * (4 + 4) * 13) // ids and weights of 13 tokens, without headers
	if grown := many.Memory.Planned - few.Memory.Planned; grown < size || grown > 4*size {
		t.Errorf("%d bytes more are planned with examples of %d", grown, size)
	}
}

// TestGarbageIsPlanned: after any step, the live heap and the garbage that the collector allows
// are within the plan. (The machine decides when a concurrent collection ends.) Afterwards the
// collector has its previous limit.
func TestGarbageIsPlanned(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	ballast := memory.Floats(32 << 20 / 4) // lives long, as the arrays of a large model
	job := task(t, t.TempDir())
	var planned int64
	job.Announce = func(p train.Plan) { planned = p.Memory.Planned }
	job.Report = func(p train.Progress) {
		percent := debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if most := int64(m.HeapAlloc*(100+uint64(percent))/100 + m.Sys - m.HeapSys); most > planned || percent > 20 {
			t.Errorf("after step %d the process may have %d bytes, with %d%% of garbage; planned are %d", p.Step, most, percent, planned)
		}
	}
	if err := train.Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(ballast)
	if percent := debug.SetGCPercent(100); percent != 100 {
		t.Errorf("after the run the collector waits for %d%% of garbage", percent)
	}
}
