//go:build !linux

package memory

// Available is unknown on this system, so checks refuse nothing.
func Available() (bytes int64, known bool) { return 0, false }

// Resident is unknown on this system.
func Resident() (bytes int64, known bool) { return 0, false }

// Peak is unknown on this system.
func Peak() (bytes int64, known bool) { return 0, false }

// ResetPeak does nothing on this system.
func ResetPeak() {}

func mapped() int64 { return 0 }
