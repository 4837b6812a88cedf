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

// Level is a set of instructions: its place among those of the architecture, of
// which each includes the ones before it.
type Level int

// Generic is Go without assembly. The other levels stand in the files of their
// architectures.
const Generic Level = 0

func (l Level) String() string { return names[l] }

// Level and error are settled once, at start: results depend on them.
var level, levelError = choose(names, os.Getenv("HERD_CPU"), Best())

// Use returns the level that kernels use.
func Use() Level { return level }

// Err says why HERD_CPU was not followed, or nil. Kernels then use the best
// level that the processor has, no better than what was asked for.
func Err() error { return levelError }

// choose returns the level that names has at asked, and best for "".
func choose(names []string, asked string, best Level) (Level, error) {
	if asked == "" {
		return best, nil
	}
	l := Level(slices.Index(names, asked))
	switch {
	case l < 0:
		return best, fmt.Errorf("HERD_CPU=%s is not one of %s; using %s", asked, strings.Join(names, ", "), names[best])
	case l > best:
		return best, fmt.Errorf("HERD_CPU=%s is more than this processor has; using %s (%s)", asked, names[best], runtime.GOARCH)
	}
	return l, nil
}
