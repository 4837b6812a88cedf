package memory

import (
	"runtime"
	"runtime/debug"
)

// Footprint is what a process has taken of the system's memory, in bytes: all that
// it would have in memory had it touched everything that it has allocated.
type Footprint struct {
	Heap    int64 // allocated and in use
	Runtime int64 // what Go needs besides: stacks, and the books of the heap
	Program int64 // code and other files in memory, where the system tells
}

// Settle collects garbage, gives back to the system what is free, and returns what
// is left.
func Settle() Footprint {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Footprint{Heap: int64(m.HeapInuse), Runtime: int64(m.Sys - m.HeapSys), Program: mapped()}
}

// Total returns the sum.
func (f Footprint) Total() int64 { return f.Heap + f.Runtime + f.Program }

// LimitGarbage makes the garbage collector start as soon as there is garbage of
// percent of what is in use, if it would not start sooner. By default it waits for as
// much garbage as all that is in use: with large arrays that live long, twice the
// memory they need. The function that it returns sets back what was before.
func LimitGarbage(percent int) (undo func()) {
	before := debug.SetGCPercent(percent)
	if before < percent { // also where it is off, -1
		debug.SetGCPercent(before)
	}
	return func() { debug.SetGCPercent(before) }
}
