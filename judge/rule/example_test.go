package rule_test

import (
	"context"
	"fmt"
	"log"

	"github.com/herd-lm/herd/judge"
	"github.com/herd-lm/herd/judge/rule"
)

func Example() {
	numeric, err := rule.New(rule.Settings{Kind: rule.Numeric})
	if err != nil {
		log.Fatal(err)
	}
	item := judge.Item{
		Question: judge.Question{ID: "sum", Reference: "2 + 3 = 5\n#### 5"},
		Answers:  []judge.Answer{{Text: "The answer is 5.0."}, {Text: "I get 2 + 3 = 6."}},
	}
	verdicts, err := numeric.Verdicts(context.Background(), []judge.Item{item})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range verdicts[0] {
		fmt.Println(v.Score, v.Correct == judge.CorrectIf(true))
	}
	// Output:
	// 1 true
	// 0 false
}
