package vector

import (
	"testing"

	"github.com/herd-lm/herd/core/kernel/guard"
)

// TestBounds: the assembly touches nothing outside its arguments, at either end.
func TestBounds(t *testing.T) {
	onEachLevel(t, func(t *testing.T) {
		for _, end := range []bool{false, true} {
			for _, n := range lengths {
				x := make([][]float32, 5)
				for i := range x {
					var free func()
					var err error
					if x[i], free, err = guard.Floats(n, end); err != nil {
						t.Fatal(err)
					}
					defer free()
				}
				for _, r := range all {
					r.run(x[:r.arguments])
				}
				Max(x[0])
			}
		}
	})
}
