package memory

import (
	"runtime"
	"runtime/debug"
)

// Footprint is the memory that a process has taken from the system, in bytes: what it would
// hold if it had touched everything that it has allocated.
type Footprint struct {
	Heap    int64 // allocated and in use
	Runtime int64 // of the Go runtime: stacks and heap metadata
	Program int64 // code and other mapped files, if the system reports them
}

// Settle collects garbage, returns free memory to the system, and reports the remaining
// footprint.
func Settle() Footprint {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Footprint{Heap: int64(m.HeapInuse), Runtime: int64(m.Sys - m.HeapSys), Program: mapped()}
}

// Total returns the sum of the parts in bytes.
func (f Footprint) Total() int64 { return f.Heap + f.Runtime + f.Program }

// LimitGarbage makes the garbage collector start when garbage reaches percent of the live
// heap, unless it is set to start sooner. By default Go waits for as much garbage as the live
// heap: with large, long-lived arrays that doubles the memory. The returned function restores
// the previous limit.
func LimitGarbage(percent int) (undo func()) {
	before := debug.SetGCPercent(percent)
	if before < percent { // also if the collector is off: -1
		debug.SetGCPercent(before)
	}
	return func() { debug.SetGCPercent(before) }
}
