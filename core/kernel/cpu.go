package kernel

import "github.com/herd-lm/herd/core/kernel/cpu"

// CPU returns the name of the instructions that kernels use: "generic", on amd64 also "avx2"
// and "avx512", on arm64 "neon". Set the environment variable HERD_CPU before the start to
// choose one.
func CPU() string { return cpu.Use().String() }

// CPUError returns an error if herd could not follow HERD_CPU.
func CPUError() error { return cpu.Err() }
