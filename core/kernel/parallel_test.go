package kernel

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestParallelRunsEachOnce(t *testing.T) {
	eachThreads(t, func(t *testing.T) {
		for _, n := range []int{0, 1, 2, 7, 1000} {
			counts := make([]atomic.Int32, n)
			Parallel(n, func(i int) { counts[i].Add(1) })
			for i := range counts {
				if c := counts[i].Load(); c != 1 {
					t.Errorf("n=%d: item %d ran %d times", n, i, c)
				}
			}
		}
	})
}

// TestParallelFromMany: callers at once, nested calls, and a changing number of
// threads; workers park in between.
func TestParallelFromMany(t *testing.T) {
	defer SetThreads(0)
	var callers sync.WaitGroup
	var total atomic.Int64
	for c := range 4 {
		callers.Go(func() {
			for i := range 50 {
				SetThreads(1 + (c+i)%5)
				Parallel(9, func(int) {
					Parallel(3, func(int) { total.Add(1) })
				})
				if i%20 == 0 {
					time.Sleep(2 * spinFor)
				}
			}
		})
	}
	callers.Wait()
	if got := total.Load(); got != 4*50*27 {
		t.Errorf("%d items ran, want %d", got, 4*50*27)
	}
}

// TestParallelPanic: a panic on any thread is the caller's to recover, and the
// pool works on.
func TestParallelPanic(t *testing.T) {
	eachThreads(t, func(t *testing.T) {
		for range 20 {
			err := recovered(func() {
				Parallel(100, func(i int) {
					if i >= 50 {
						panic(io.ErrUnexpectedEOF)
					}
				})
			})
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("recovered %v", err)
			}
		}
		var ran atomic.Int32
		Parallel(10, func(int) { ran.Add(1) })
		if ran.Load() != 10 {
			t.Errorf("after a panic %d of 10 items ran", ran.Load())
		}
	})
}

func recovered(f func()) (err error) {
	defer func() { err, _ = recover().(error) }()
	f()
	return nil
}
