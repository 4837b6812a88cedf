package model_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/herd-lm/herd/core/kernel"
	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// TestCloseReleases: of a program that is closed, a garbage collection leaves nothing,
// neither its arena nor the arrays of the model, once the kernels' threads have parked: of
// one that is interrupted at its spinning, the collector takes all registers for pointers.
func TestCloseReleases(t *testing.T) {
	kernel.SetThreads(2)
	defer kernel.SetThreads(0)
	b := several(t, rand.New(rand.NewPCG(50, 51)), 18)
	before := held()
	arena := use(t, b)
	if arena < 16<<20 {
		t.Fatalf("an arena of %d bytes would not be missed", arena)
	}
	left := held() - before
	for range 100 {
		if left <= arena/8 {
			return
		}
		time.Sleep(10 * time.Millisecond)
		left = held() - before
	}
	t.Errorf("%d bytes are left of a program with an arena of %d", left, arena)
}

// use runs b in a program for many times as much, and returns the size of its arena.
func use(t *testing.T, b *token.Batch) int64 {
	t.Helper()
	size := b.Size()
	size.Tokens *= 16
	prog, err := model.Compile(random(t, deep(small(true), 4)), size, model.CrossEntropy, model.RecomputeNone)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	run(t, prog, b, 1, false)
	return prog.Plan.ArenaBytes
}

func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
