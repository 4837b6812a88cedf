package config_test

import (
	"fmt"
	"log"

	"github.com/herd-lm/herd/core/config"
)

func ExampleLoad() {
	settings := struct {
		Steps        int     `yaml:"steps"`
		LearningRate float64 `yaml:"learning_rate"`
	}{Steps: 100, LearningRate: 1e-3} // the defaults
	if err := config.Load("", config.Assignments("setting", "steps=5"), &settings); err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings.Steps, settings.LearningRate)
	fmt.Println(config.Load("", config.Assignments("setting", "learning_rat=1"), &settings))
	// Output:
	// 5 0.001
	// setting learning_rat=1: unknown key "learning_rat", did you mean "learning_rate"?
}
