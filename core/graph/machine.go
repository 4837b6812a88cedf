package graph

import (
	"fmt"
	"runtime"

	G "gorgonia.org/gorgonia"
)

// Machine runs a planned graph repeatedly.
type Machine struct {
	graph *G.ExprGraph
	vm    G.VM
	// clock is an object of its own because the Ops point to it. A pointer from them to vm, which
	// has a finalizer, would form a cycle that is never freed.
	clock *clock
}

// NewMachine compiles g. The plan of g must be allocated.
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

// Run executes every node once. The values of nodes that no other node reads, and those in
// pinned buffers, are valid until the next run. Later nodes reuse the memory of the others.
func (m *Machine) Run() error {
	m.clock.last = -1
	defer m.vm.Reset()
	return m.vm.RunAll()
}

// Close releases the machine. An object that waits for its finalizer outlives a garbage
// collection, and with it the memory of the graph. Close does the finalizer's work instead.
func (m *Machine) Close() error {
	runtime.SetFinalizer(m.vm, nil)
	return m.vm.Close()
}

// clock checks that Gorgonia keeps to the order that the memory plan assumed. A node that
// runs early would read or overwrite the memory of another.
type clock struct{ last int }

func (c *clock) tick(o *Op) error {
	if c == nil {
		return fmt.Errorf("graph: node %s is not part of a machine", o)
	}
	if o.rank <= c.last {
		return fmt.Errorf("graph: node %s ran after rank %d, planned at %d", o, c.last, o.rank)
	}
	c.last = o.rank
	return nil
}
