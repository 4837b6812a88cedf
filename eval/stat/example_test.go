package stat_test

import (
	"fmt"

	"github.com/herd-lm/herd/eval/stat"
)

func ExampleProportion() {
	m := stat.Proportion(284, 1000)
	fmt.Printf("%.3f, 95%% of the time between %.3f and %.3f\n", m.Value, m.Low, m.High)
	// Output:
	// 0.284, 95% of the time between 0.257 and 0.313
}
