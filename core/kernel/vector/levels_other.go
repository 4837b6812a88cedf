//go:build !amd64

package vector

// levels are the implementations, by cpu.Level.
var levels = []*routines{&portable, &portable}
