package model_test

import (
	"fmt"
	"log"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
)

// ipo is the loss of arXiv 2310.12036, equation 17.
func ipo(beta float64) model.Loss {
	return func(o *model.Outputs) model.Expr {
		lead := o.PairDifference(o.LogRatio()).Sub(model.Const(1 / (2 * beta)))
		return o.MeanOverPairs(lead.Square())
	}
}

// A preference loss is a few lines over the outputs of the model. Try evaluates it on given
// log-probabilities, and Gorgonia derives the gradient.
func ExampleTry() {
	pair := &token.Batch{
		Sequences: 2,
		Reference: []float32{-10, -12},
		Pairs:     []token.Pair{{Chosen: 0, Rejected: 1, Weight: 1}},
	}
	loss, gradient, err := model.Try(ipo(0.5), pair, []float32{-8, -13})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loss, gradient)
	// Output:
	// 4 [4 -4]
}
