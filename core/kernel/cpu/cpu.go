// Package cpu says which vector instructions kernels use: the best that the
// processor has, or what the environment variable HERD_CPU asks for.
package cpu

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Level is a set of instructions; each level includes those below it.
type Level int

const (
	Generic Level = iota // Go without assembly
	AVX2                 // AVX2 with FMA
	AVX512               // AVX-512 F, BW, DQ and VL
)

var names = []string{"generic", "avx2", "avx512"}

func (l Level) String() string { return names[l] }

// Level and error are settled once, at start: results depend on them.
var level, levelError = choose(os.Getenv("HERD_CPU"), Best())

// Use returns the level that kernels use.
func Use() Level { return level }

// Err says why HERD_CPU was not followed, or nil. Kernels then use the best
// level that the processor has, no better than what was asked for.
func Err() error { return levelError }

// choose returns the level called asked, and Best for "".
func choose(asked string, best Level) (Level, error) {
	if asked == "" {
		return best, nil
	}
	l := Level(slices.Index(names, asked))
	switch {
	case l < 0:
		return best, fmt.Errorf("HERD_CPU=%s is not one of %s; using %v", asked, strings.Join(names, ", "), best)
	case l > best:
		return best, fmt.Errorf("HERD_CPU=%s is more than this processor has; using %v (%s)", asked, best, runtime.GOARCH)
	}
	return l, nil
}
