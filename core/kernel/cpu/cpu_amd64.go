package cpu

import "github.com/klauspost/cpuid/v2"

const (
	AVX2   = Generic + 1 + iota // AVX2 with FMA
	AVX512                      // AVX-512 F, BW, DQ and VL
)

var names = []string{"generic", "avx2", "avx512"}

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

// HasBF16 reports whether the processor multiplies bfloat16s in vectors of 512 bits. It is not
// a level of its own: without it, other instructions compute the same results.
func HasBF16() bool { return Best() == AVX512 && cpuid.CPU.Supports(cpuid.AVX512BF16) }
