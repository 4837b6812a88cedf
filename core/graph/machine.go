package graph

import (
	"fmt"
	"runtime"

	G "gorgonia.org/gorgonia"
)

// Machine runs a planned graph again and again.
type Machine struct {
	graph *G.ExprGraph
	vm    G.VM
	// clock is an object of its own: the Ops point to it, and a way from them
	// back to vm, which has a finalizer, would be a cycle that is never freed.
	clock *clock
}

// NewMachine compiles g, whose plan must have been allocated.
func NewMachine(g *G.ExprGraph) *Machine {
	m := &Machine{graph: g, clock: &clock{}}
	for _, n := range g.AllNodes() {
		if o, ours := n.Op().(*Op); ours {
			o.clock = m.clock
		}
	}
	m.vm = G.NewTapeMachine(g)
	return m
}

// Run executes every node once. The values of nodes that no other reads, and
// those in pinned buffers, are valid until the next run; the memory of the
// others has gone to later nodes.
func (m *Machine) Run() error {
	m.clock.last = -1
	defer m.vm.Reset()
	return m.vm.RunAll()
}

// Close releases what the machine holds. What a finalizer waits for, memory of the
// graph and all, outlives a garbage collection: Close has done all there is to do.
func (m *Machine) Close() error {
	runtime.SetFinalizer(m.vm, nil)
	return m.vm.Close()
}

// clock holds Gorgonia to the order that the memory plan assumed: a node that
// ran early would read or overwrite another's memory.
type clock struct{ last int }

func (c *clock) tick(o *Op) error {
	if c == nil {
		return fmt.Errorf("graph: node %s belongs to no machine", o)
	}
	if o.rank <= c.last {
		return fmt.Errorf("graph: node %s ran after rank %d, planned at %d", o, c.last, o.rank)
	}
	c.last = o.rank
	return nil
}
