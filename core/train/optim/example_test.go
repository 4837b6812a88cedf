package optim_test

import (
	"fmt"

	"github.com/herd-lm/herd/core/train/optim"
)

func ExampleSchedule() {
	s := optim.Schedule{Kind: optim.Linear, Warmup: 2, Total: 6, Peak: 4, Final: 2}
	for step := 1; step <= 6; step++ {
		fmt.Print(s.LR(step), " ")
	}
	fmt.Println()
	// Output:
	// 2 4 3.5 3 2.5 2
}
