package model

import (
	"strings"

	"github.com/herd-lm/herd/core/graph"
)

// Profile makes all later runs record the cost of their operations.
func (p *Program) Profile() { p.machine.Profile() }

// Costs returns the costs since Profile: a Cost for each kind of operation, summed over the
// layers.
func (p *Program) Costs() []graph.Cost {
	var kinds []graph.Cost
	at := make(map[string]int)
	for _, c := range p.machine.Costs() {
		c.Name = kind(c.Name)
		i, known := at[c.Name]
		if !known {
			at[c.Name] = len(kinds)
			kinds = append(kinds, c)
			continue
		}
		kinds[i].Add(c)
	}
	return kinds
}

// kind returns the name of an operation without its layer: "norm" for "norm
// model.layers.3.input_layernorm.weight", and for the product with
// "model.layers.3.mlp.down_proj.weight" its own name, "down_proj".
func kind(op string) string {
	name, grad := strings.CutSuffix(op, ".grad")
	name, _, _ = strings.Cut(name, " ")
	name = strings.TrimSuffix(name, ".weight")
	name = name[strings.LastIndexByte(name, '.')+1:]
	if grad {
		name += ".grad"
	}
	return name
}

// perRow returns the cost of a run that costs count for every row of a.
func (n *network) perRow(a axis, count int) func() float64 {
	return func() float64 { return float64(count) * float64(n.feed.extent(a)) }
}

// perPair returns the cost of a run that costs count for every query and key that the query
// attends to.
func (n *network) perPair(count int) func() float64 {
	return func() float64 { return float64(count) * float64(n.feed.batch.Attended()) }
}
