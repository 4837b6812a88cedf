package graph

import (
	"slices"
	"time"

	G "gorgonia.org/gorgonia"
)

// Cost is the cost of one Op, or of several together.
type Cost struct {
	Name  string
	Time  time.Duration
	Flops float64 // floating-point operations of matrix products; a multiply-add counts as two
	Bytes float64 // memory traffic in bytes: the least that must be read and written
}

// Add adds d to c.
func (c *Cost) Add(d Cost) {
	c.Time += d.Time
	c.Flops += d.Flops
	c.Bytes += d.Bytes
}

// Profile makes m record the cost of its Ops in all later runs. Without it, a run does not
// read the clock.
func (m *Machine) Profile() {
	for _, n := range m.graph.AllNodes() {
		o, ours := n.Op().(*Op)
		if !ours || o.Forward == nil {
			continue
		}
		if o.Bytes == nil {
			operands := children(n)
			if o.repeats != nil { // the last child only determines when to run
				operands = operands[:len(operands)-1]
			}
			o.Bytes = o.traffic(operands)
		}
		o.cost = &Cost{Name: o.Name}
	}
}

// Costs returns the cost of each Op since Profile, without views.
func (m *Machine) Costs() []Cost {
	var list []Cost
	for _, n := range m.graph.AllNodes() {
		if o, ours := n.Op().(*Op); ours && o.cost != nil {
			list = append(list, *o.cost)
		}
	}
	return list
}

// run runs the kernel, and measures its time if the machine profiles.
func (o *Op) run(in []G.Value) {
	switch {
	case o.Forward == nil: // a view
	case o.cost == nil:
		o.Forward(in)
	default:
		began := time.Now()
		o.Forward(in)
		o.cost.Add(Cost{Time: time.Since(began), Flops: o.flops(), Bytes: o.Bytes()})
	}
}

func (o *Op) flops() float64 {
	if o.Flops == nil {
		return 0
	}
	return o.Flops()
}

// traffic counts each array of o once, as far as the current run fills it: the values of
// its operands, the buffers that it reads besides, and its results. An array that the
// kernel reads twice, or adds to, still counts once.
func (o *Op) traffic(operands G.Nodes) func() float64 {
	var inputs float64
	buffers := slices.Concat(o.Reads, o.Extra)
	if o.Out != nil {
		buffers = append(buffers, o.Out)
	}
	for _, n := range operands {
		if c, ours := n.Op().(*Op); ours && c.Out != nil {
			buffers = append(buffers, c.Out)
		} else {
			inputs += 4 * float64(n.Shape().TotalSize())
		}
	}
	return func() float64 {
		sum := inputs
		for _, b := range buffers {
			sum += 4 * float64(b.filled())
		}
		return sum
	}
}
