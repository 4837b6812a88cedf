//go:build !amd64

package gemm

// paths are the ways to multiply, by level.
var paths = []*path{&portable}
