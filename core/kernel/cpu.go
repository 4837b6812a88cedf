package kernel

import "github.com/herd-lm/herd/core/kernel/cpu"

// CPU names the instructions that kernels use: "generic"; on amd64 also "avx2"
// and "avx512", on arm64 "neon".
// The environment variable HERD_CPU, set before start, asks for one of them.
func CPU() string { return cpu.Use().String() }

// CPUError says why HERD_CPU was not followed, or returns nil.
func CPUError() error { return cpu.Err() }
