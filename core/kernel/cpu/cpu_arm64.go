package cpu

// NEON is Advanced SIMD, which every processor of ARMv8-A has.
const NEON = Generic + 1

var names = []string{"generic", "neon"}

// Best returns the highest level that the processor and the system support.
func Best() Level { return NEON }
