package graph

import (
	"fmt"
	"slices"

	G "gorgonia.org/gorgonia"
)

// Plan says where each buffer of a graph lies: buffers whose lives do not
// overlap share memory.
type Plan struct {
	Nodes       int   // nodes in the graph
	BufferBytes int64 // all buffers laid end to end
	ArenaBytes  int64 // what the arena takes with memory shared

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

// NewPlan lays out the buffers of g by their liveness over the order in which
// Gorgonia's TapeMachine runs the nodes. It allocates no memory for them.
func NewPlan(g *G.ExprGraph) (*Plan, error) {
	if err := checkHashes(g); err != nil {
		return nil, err
	}
	order, err := executionOrder(g)
	if err != nil {
		return nil, err
	}
	p := &Plan{Nodes: len(order), buffers: liveness(g, order)}
	p.layOut()
	return p, nil
}

// checkHashes refuses graphs in which two nodes have the same hash: Gorgonia's
// compiler would silently merge them.
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

// executionOrder returns the nodes as gorgonia.Compile orders them, inputs first.
func executionOrder(g *G.ExprGraph) (G.Nodes, error) {
	order, err := G.Sort(g)
	if err != nil {
		return nil, fmt.Errorf("graph: ordering the nodes: %w", err)
	}
	slices.Reverse(order)
	return order, nil
}

// liveness returns the buffers of g with first and last set.
func liveness(g *G.ExprGraph, order G.Nodes) []*Buffer {
	var all []*Buffer
	define := func(b *Buffer, rank int) {
		if !b.known {
			b.known, b.first = true, rank
			all = append(all, b)
		}
		b.last = rank
	}
	held := make(map[*G.Node][]*Buffer) // the buffers that a node's value may lie in
	for rank, n := range order {
		for it := g.From(n.ID()); it.Next(); {
			child := it.Node().(*G.Node)
			for _, b := range held[child] {
				b.last = rank
			}
			// Gorgonia's own operations may run in place on a child's value.
			if _, ours := n.Op().(*Op); !ours {
				held[n] = append(held[n], held[child]...)
			}
		}
		o, ours := n.Op().(*Op)
		if !ours {
			continue
		}
		o.rank = rank
		for _, b := range o.Reads {
			b.last = rank
		}
		for _, b := range o.Extra {
			define(b, rank)
		}
		if o.Out != nil {
			define(o.Out, rank)
			held[n] = []*Buffer{o.Out}
		}
	}
	return all
}

// layOut places the buffers, large ones first, each at the lowest offset that
// is free for the whole of its life.
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
		if other.buffer.last >= b.first && b.last >= other.buffer.first {
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

// Allocate makes the arena and binds every buffer to its place.
func (p *Plan) Allocate() {
	arena := make([]float32, p.ArenaBytes/4)
	for _, at := range p.places {
		at.buffer.Data = arena[at.offset : at.offset+at.buffer.Len() : at.offset+at.buffer.Len()]
	}
	for _, b := range p.buffers {
		b.bind()
	}
}
