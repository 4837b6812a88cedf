// Package cpu selects the vector instructions that kernels use: the best that the processor
// has, or what the environment variable HERD_CPU asks for. Call Use.
package cpu

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Level is a set of instructions: its index among those of the architecture, each of which
// includes the ones before it.
type Level int

// Generic is Go without assembly. The files of the architectures define the other levels.
const Generic Level = 0

func (l Level) String() string { return names[l] }

// Level and error are set once, at start: results depend on them.
var level, levelError = choose(names, os.Getenv("HERD_CPU"), Best())

// Use returns the level that kernels use.
func Use() Level { return level }

// Err returns an error if herd could not follow HERD_CPU. Kernels then use the best level that
// the processor has, but none better than HERD_CPU asked for.
func Err() error { return levelError }

// choose returns the level whose name is asked, or best if asked is "".
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
