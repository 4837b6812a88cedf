//go:build !amd64 && !arm64

package vector

// levels are the implementations, by cpu.Level.
var levels = completed(&portable)
