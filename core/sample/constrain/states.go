package constrain

import (
	"encoding/binary"
	"errors"
	"slices"
)

// frame is a stack of return addresses. Equal stacks are one frame.
type frame struct {
	to    int32 // node to go on with
	under *frame
	id    int32
}

// place is where a text may be in a grammar: at a node, in calls that return to frames.
type place struct {
	node  int32
	frame *frame
}

// Limits on what a constraint keeps, and on the places of one state.
const (
	maxStates = 1 << 12  // about 2 kB each
	maxKept   = 32 << 20 // bytes of the tokens that may follow states
	maxPlaces = 1 << 14
)

var errAmbiguous = errors.New("constrain: the schema leaves open too many ways to read what was said: anyOf, or patterns, overlap too much")

// state is a set of places: all that one text can have led to.
type state struct {
	places []place // with edges, or where the text may end
	ends   bool    // the text may end here
	age    int     // of the table that has it
	next   [256]*state
	follow *following // the tokens that may follow; nil: not computed
}

// dead is the state of texts that are not in the grammar.
var dead = &state{}

// states makes the states of a grammar as texts need them, and keeps them in a table of limited size.
type states struct {
	grammar *Grammar
	frames  map[frameKey]*frame
	table   map[string]*state
	age     int // tables made before
	kept    int // bytes beside the table
	err     error

	seen map[place]bool // of one closure
	list []place
}

type frameKey struct {
	to    int32
	under *frame
}

func newStates(g *Grammar) *states {
	s := &states{grammar: g}
	s.reset()
	return s
}

// reset begins a new table. States of the old ones stay with those who hold them.
func (s *states) reset() {
	s.frames, s.table = map[frameKey]*frame{}, map[string]*state{}
	s.age++
	s.kept = 0
}

// keep counts memory that a state holds, and begins a new table if there is too much.
func (s *states) keep(bytes int) {
	if s.kept += bytes; s.kept > maxKept {
		s.reset()
	}
}

func (s *states) push(to int32, under *frame) *frame {
	key := frameKey{to, under}
	f := s.frames[key]
	if f == nil {
		f = &frame{to, under, int32(len(s.frames) + 1)}
		s.frames[key] = f
	}
	return f
}

// begin returns the state before the first byte.
func (s *states) begin() *state {
	s.open()
	s.close(place{s.grammar.rules[0], nil})
	return s.intern()
}

// step returns the state after one more byte.
func (s *states) step(from *state, c byte) *state {
	if to := from.next[c]; to == dead || to != nil && to.age == s.age {
		return to
	}
	if max(len(s.table), len(s.frames)) >= maxStates {
		s.reset()
	}
	if from.age != s.age {
		from = s.renew(from)
	}
	s.open()
	for _, p := range from.places {
		for _, e := range s.grammar.nodes[p.node].edges {
			if e.low <= c && c <= e.high {
				s.close(place{e.to, p.frame})
			}
		}
	}
	to := s.intern()
	from.next[c] = to
	return to
}

// renew returns a state of an old table as one of this table.
func (s *states) renew(from *state) *state {
	s.open()
	for _, p := range from.places {
		s.close(place{p.node, s.copied(p.frame)})
	}
	return s.intern()
}

func (s *states) copied(f *frame) *frame {
	if f == nil {
		return nil
	}
	return s.push(f.to, s.copied(f.under))
}

func (s *states) open() { s.seen, s.list = map[place]bool{}, s.list[:0] }

// close adds a place and all that are reached from it without a byte.
func (s *states) close(p place) {
	if s.seen[p] {
		return
	}
	if len(s.seen) >= maxPlaces {
		s.err = errAmbiguous
		return
	}
	s.seen[p] = true
	n := &s.grammar.nodes[p.node]
	if len(n.edges) > 0 || n.last && p.frame == nil {
		s.list = append(s.list, p)
	}
	switch {
	case n.call != noRule:
		s.close(place{s.grammar.rules[n.call], s.push(n.free[0], p.frame)})
		return
	case n.last && p.frame != nil:
		s.close(place{p.frame.to, p.frame.under})
	}
	for _, to := range n.free {
		s.close(place{to, p.frame})
	}
}

// intern returns the state of the places that were closed.
func (s *states) intern() *state {
	if len(s.list) == 0 {
		return dead
	}
	slices.SortFunc(s.list, func(a, b place) int {
		if a.node != b.node {
			return int(a.node) - int(b.node)
		}
		return int(a.frame.number()) - int(b.frame.number())
	})
	key := make([]byte, 0, 8*len(s.list))
	for _, p := range s.list {
		key = binary.LittleEndian.AppendUint32(key, uint32(p.node))
		key = binary.LittleEndian.AppendUint32(key, uint32(p.frame.number()))
	}
	if known := s.table[string(key)]; known != nil {
		return known
	}
	made := &state{places: slices.Clone(s.list), age: s.age}
	for _, p := range made.places {
		made.ends = made.ends || p.frame == nil && s.grammar.nodes[p.node].last
	}
	s.table[string(key)] = made
	return made
}

func (f *frame) number() int32 {
	if f == nil {
		return 0
	}
	return f.id
}
