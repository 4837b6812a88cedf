//go:build race

package kernel

// Under the race detector sync.Pool drops what it is given now and then.
func init() { underRace = true }
