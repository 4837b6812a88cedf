package cpu

import "github.com/klauspost/cpuid/v2"

// Best returns the highest level that the processor and the system support.
func Best() Level {
	c := cpuid.CPU
	switch {
	case c.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL, cpuid.AVX2, cpuid.FMA3):
		return AVX512
	case c.Supports(cpuid.AVX2, cpuid.FMA3):
		return AVX2
	}
	return Generic
}

// HasBF16 reports whether the processor multiplies bfloat16s in vectors of 512
// bits. It is no level of its own: where it is missing, the same is computed
// with other instructions.
func HasBF16() bool { return Best() == AVX512 && cpuid.CPU.Supports(cpuid.AVX512BF16) }
