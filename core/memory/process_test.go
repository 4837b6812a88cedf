package memory

import (
	"runtime"
	"runtime/debug"
	"testing"
)

const many = 64 << 20 // bytes

// TestSettle: memory in use counts, touched or not; garbage does not.
func TestSettle(t *testing.T) {
	before := Settle()
	if before.Heap <= 0 || before.Runtime <= 0 || before.Total() != before.Heap+before.Runtime+before.Program {
		t.Errorf("%+v, in all %d", before, before.Total())
	}
	x := Floats(many / 4)
	with := Settle()
	runtime.KeepAlive(x)
	after := Settle()
	const little = many / 16
	if grown := with.Heap - before.Heap; grown < many-little || grown > many+little {
		t.Errorf("%d bytes more with an array of %d", grown, many)
	}
	if left := after.Heap - before.Heap; left > little {
		t.Errorf("%d bytes are left of an array of %d", left, many)
	}
}

// TestLimitGarbage: the collector allows the garbage that was set, or less if a smaller limit
// was in force, and afterwards the previous limit applies again.
func TestLimitGarbage(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	x := Floats(many / 4)
	for _, c := range []struct{ before, limit, want int }{{100, 5, 5}, {3, 5, 3}, {-1, 5, -1}, {100, 200, 100}} {
		debug.SetGCPercent(c.before)
		undo := LimitGarbage(c.limit)
		if c.want > 0 {
			live := Settle().Heap
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if room := int64(m.NextGC) - live; room < live*int64(c.want)/200 || room > live*int64(c.want)/90 {
				t.Errorf("%+v: room for %d bytes of garbage besides %d", c, room, live)
			}
		}
		if got := debug.SetGCPercent(c.want); got != c.want {
			t.Errorf("%+v: the limit is %d", c, got)
		}
		undo()
		if got := debug.SetGCPercent(c.before); got != c.before {
			t.Errorf("%+v: %d afterwards", c, got)
		}
	}
	runtime.KeepAlive(x)
}
