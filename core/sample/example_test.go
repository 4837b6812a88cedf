package sample_test

import (
	"fmt"

	"github.com/herd-lm/herd/core/sample"
)

func ExampleSettings_Validate() {
	s := sample.Settings{Temperature: 0.7, TopP: 0.95, MaxTokens: 64, StopStrings: []string{"\n\n"}}
	fmt.Println(s.Validate())
	s.TopP = 1.5
	fmt.Println(s.Validate() != nil)
	// Output:
	// <nil>
	// true
}
