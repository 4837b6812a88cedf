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
