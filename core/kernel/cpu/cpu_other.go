//go:build !amd64

package cpu

// Best returns the highest level that the processor and the system support.
func Best() Level { return Generic }
