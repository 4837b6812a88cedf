//go:build !linux

package memory

// Available is not known on this system: nothing is refused.
func Available() (bytes int64, known bool) { return 0, false }

// Resident is not known on this system.
func Resident() (bytes int64, known bool) { return 0, false }

// Peak is not known on this system.
func Peak() (bytes int64, known bool) { return 0, false }

// ForgetPeak does nothing on this system.
func ForgetPeak() {}

func mapped() int64 { return 0 }
