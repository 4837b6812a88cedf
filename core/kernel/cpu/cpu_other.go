//go:build !amd64 && !arm64

package cpu

var names = []string{"generic"}

// Best returns the highest level that the processor and the system support.
func Best() Level { return Generic }
