package model

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/graph"
	"github.com/herd-lm/herd/core/token"
)

// Try evaluates a preference loss on given numbers instead of a model's outputs: x [S] stands
// for the sequences' log-probabilities, and for the outputs of the value head. It returns the
// loss and its gradient by x. b supplies weights, references and pairs.
func Try(loss Loss, b *token.Batch, x []float32) (value float64, gradient []float32, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("model: %v", r)
		}
	}()
	n := &network{capacity: b.Size(), feed: newFeed(b.Size()), g: G.NewGraph()}
	n.feed.load(b, 1, false)
	node := n.input("given", x)
	given := graph.NewExpr(node)
	root, err := loss(&Outputs{n: n, seqLogProb: given, value: given}).Node()
	if err != nil {
		return 0, nil, fmt.Errorf("model: %w", err)
	}
	grad, err := G.Grad(root, node)
	if err != nil {
		return 0, nil, fmt.Errorf("model: %w", err)
	}
	plan, err := graph.NewPlan(n.g)
	if err != nil {
		return 0, nil, err
	}
	plan.Allocate()
	machine := graph.NewMachine(n.g)
	defer machine.Close()
	if err := machine.Run(); err != nil {
		return 0, nil, err
	}
	return float64(root.Value().Data().(float32)), append([]float32(nil), graph.Floats(grad[0].Value())...), nil
}
