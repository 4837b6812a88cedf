package graph

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"

	"github.com/herd-lm/herd/core/memory"
)

// Plan places the buffers of a graph in one arena. Buffers whose lifetimes do not overlap
// share memory.
type Plan struct {
	Nodes       int   // nodes in the graph
	BufferBytes int64 // size of all buffers laid end to end
	ArenaBytes  int64 // size of the arena

	buffers []*Buffer
	places  []place
}

type place struct {
	buffer *Buffer
	offset int // in elements
}

func (p place) end() int { return p.offset + padded(p.buffer.Len()) }

// padded rounds n elements up to whole cache lines, so that no two buffers share one.
func padded(n int) int { return (n + 15) &^ 15 }

// NewPlan lays out the buffers of g by their lifetimes in the order in which Gorgonia's
// TapeMachine runs the nodes. It does not allocate memory for them.
func NewPlan(g *G.ExprGraph) (*Plan, error) {
	if err := checkHashes(g); err != nil {
		return nil, err
	}
	order, err := executionOrder(g)
	if err != nil {
		return nil, err
	}
	buffers, err := liveness(g, order)
	if err != nil {
		return nil, err
	}
	p := &Plan{Nodes: len(order), buffers: buffers}
	p.layOut()
	return p, nil
}

// checkHashes returns an error if two nodes have the same hash: Gorgonia's compiler would
// silently merge them.
func checkHashes(g *G.ExprGraph) error {
	seen := make(map[uint32]*G.Node)
	for _, n := range g.AllNodes() {
		if other, ok := seen[n.Hashcode()]; ok && other != n {
			return fmt.Errorf("graph: nodes %v and %v have the same hash", other, n)
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

// executionOrder returns the nodes in the order of gorgonia.Compile, inputs first.
func executionOrder(g *G.ExprGraph) (G.Nodes, error) {
	order, err := G.Sort(g)
	if err != nil {
		return nil, fmt.Errorf("graph: ordering the nodes: %w", err)
	}
	slices.Reverse(order)
	return order, nil
}

// liveness returns the buffers of g and sets their spans.
func liveness(g *G.ExprGraph, order G.Nodes) ([]*Buffer, error) {
	l := lives{written: make(map[*Buffer]bool), held: make(map[*G.Node][]*Buffer)}
	for rank, n := range order {
		l.readChildren(g, n, rank)
		if o, ours := n.Op().(*Op); ours {
			o.rank = rank
			if err := l.run(n, o); err != nil {
				return nil, err
			}
		}
		if g.To(n.ID()).Len() == 0 { // a result: the caller reads it after the run
			use(l.held[n], len(order))
		}
	}
	return l.buffers, nil
}

// lives tracks the buffers of the nodes seen so far.
type lives struct {
	buffers []*Buffer
	written map[*Buffer]bool
	held    map[*G.Node][]*Buffer // the buffers that may hold a node's value
}

// use records that a node of the given rank reads or writes the buffers.
func use(buffers []*Buffer, rank int) {
	for _, b := range buffers {
		b.use(rank)
	}
}

func (l *lives) readChildren(g *G.ExprGraph, n *G.Node, rank int) {
	_, ours := n.Op().(*Op)
	for it := g.From(n.ID()); it.Next(); {
		child := it.Node().(*G.Node)
		use(l.held[child], rank)
		// Gorgonia's own operations may run in place on a child's value.
		if !ours {
			l.held[n] = append(l.held[n], l.held[child]...)
		}
	}
}

// run records what the node of o reads besides its children, and what it writes.
func (l *lives) run(n *G.Node, o *Op) error {
	for _, b := range o.Reads {
		if !l.written[b] && !b.pinned {
			return fmt.Errorf("graph: node %s reads a buffer that no node before it writes", o)
		}
	}
	use(o.Reads, o.rank)
	results := o.Extra
	if o.Out != nil {
		l.held[n] = []*Buffer{o.Out}
		results = append(slices.Clip(results), o.Out)
	}
	for _, b := range results {
		switch {
		case !l.written[b]:
			l.written[b], b.spans = true, nil
			l.buffers = append(l.buffers, b)
			b.begin(o.rank)
		case o.repeats != nil && b.spans[0].first == o.repeats.rank:
			b.begin(o.rank)
		default: // a view of another node's result
			b.use(o.rank)
		}
	}
	return nil
}

// layOut places the buffers, large ones first, each at the lowest offset that is free
// throughout its lifetime.
func (p *Plan) layOut() {
	shared := slices.DeleteFunc(slices.Clone(p.buffers), func(b *Buffer) bool { return b.pinned })
	slices.SortStableFunc(shared, func(a, b *Buffer) int { return b.Len() - a.Len() })
	var elements int
	for _, b := range shared {
		at := place{b, p.lowestFree(b)}
		p.places = append(p.places, at)
		elements = max(elements, at.end())
		p.BufferBytes += 4 * int64(padded(b.Len()))
	}
	p.ArenaBytes = 4 * int64(elements)
}

func (p *Plan) lowestFree(b *Buffer) int {
	var alive []place
	for _, other := range p.places {
		if other.buffer.meets(b) {
			alive = append(alive, other)
		}
	}
	slices.SortFunc(alive, func(x, y place) int { return x.offset - y.offset })
	offset := 0
	for _, other := range alive {
		if offset+padded(b.Len()) <= other.offset {
			break
		}
		offset = max(offset, other.end())
	}
	return offset
}

// Allocate allocates the arena and binds every buffer to its place.
func (p *Plan) Allocate() {
	arena := memory.Floats(int(p.ArenaBytes / 4))
	for _, at := range p.places {
		at.buffer.Data = arena[at.offset : at.offset+at.buffer.Len() : at.offset+at.buffer.Len()]
	}
	for _, b := range p.buffers {
		b.bind()
	}
}
