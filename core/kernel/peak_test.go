package kernel

import (
	"testing"
	"time"
)

// TestBest: the fastest of calls of 1, 4 and 8 ms decides, the first aside.
func TestBest(t *testing.T) {
	calls, fastest := 0, time.Hour
	rate := best(6, func() {
		began := time.Now()
		time.Sleep([]time.Duration{4, 1, 8}[calls%3] * time.Millisecond)
		if calls++; calls > 1 {
			fastest = min(fastest, time.Since(began))
		}
	})
	if most := 6 / fastest.Seconds(); rate > most || rate < 0.6*most {
		t.Errorf("rate %v after %d calls, the fastest of which had %v", rate, calls, most)
	}
}

// TestPeak compares with a product of another shape on one thread: a multiply-add
// that counts once, or an operation that is forgotten, is off by more.
func TestPeak(t *testing.T) {
	SetThreads(1)
	t.Cleanup(func() { SetThreads(0) })
	const n = 256
	x, w, y := ramp(n*n), ramp(n*n), make([]float32, n*n)
	cube := best(2*n*n*n, func() { FP32.Linear(y, x, w, nil, n, n, n) })
	if peak := FP32.Peak(); peak < 0.7*cube || peak > 1.4*cube {
		t.Errorf("peak of %.3g operations/s, a product of 256x256 matrices reaches %.3g", peak, cube)
	}
}
