//go:build !amd64 && !arm64

package gemm

import "github.com/herd-lm/herd/core/kernel/cpu"

// paths are the float32 paths by level.
var paths = []*path{&portable}

func bf16Path(cpu.Level) *path { return nil }
