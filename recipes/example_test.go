package recipes_test

import (
	"fmt"
	"log"

	"github.com/herd-lm/herd/core/config"
	"github.com/herd-lm/herd/recipes"
)

func ExampleLoad() {
	r, err := recipes.Load("quickstart", config.Assignments("setting", "seed=2", "dpo.beta=0.2"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Seed)
	for _, s := range r.Stages {
		fmt.Print(s.Name, " ")
	}
	fmt.Println()
	// Output:
	// 2
	// base sft reward rejection sft-best dpo
}
