package gemm

import (
	"runtime"
	"sync/atomic"
)

// Shares is how far panels are packed that several threads multiply by: each packs one
// share of them, then multiplies by that one first, while the others pack theirs. So
// nobody waits, as long as all are about as fast. A share that its thread has not
// begun when another needs it is packed by that other: the threads need not run at the
// same time.
type Shares struct{ states []atomic.Uint32 }

// The states of a share.
const (
	unpacked uint32 = iota
	taken           // some thread packs it
	packed
)

// Begin makes n shares, none of them packed: for the first products, and again
// whenever the panels have moved on to other lines or depths.
func (s *Shares) Begin(n int) {
	if len(s.states) != n {
		s.states = make([]atomic.Uint32, n)
	}
	for i := range s.states {
		s.states[i].Store(unpacked)
	}
}

// PartShared is Part with all panels, packed by then or not, for rows [i0, i1) of p's c
// on the thread whose own share is the given one. It calls p.Done.
func (q *Panels) PartShared(p *Product, i0, i1 int, s *Shares, own int) {
	scratch := Borrow()
	defer scratch.GiveBack()
	t := part{Product: p, path: q.path, Scratch: scratch, i0: i0, i1: i1, j1: q.Count(), last: q.last(p), shares: s.states, own: own}
	t.multiply(q)
}

// eachShare multiplies by all panels, as block does, share by share.
func (t *part) eachShare(q *Panels, a lines, i, rows int) {
	n := len(t.shares)
	for k := range n {
		share := (t.own + k) % n
		lo, hi := t.j1*share/n, t.j1*(share+1)/n
		q.provide(&t.shares[share], t.B, lo, hi)
		t.strips(q, a, i, rows, lo, hi)
	}
}

// provide returns when the panels [lo, hi) are packed.
func (q *Panels) provide(state *atomic.Uint32, b Operand, lo, hi int) {
	if state.CompareAndSwap(unpacked, taken) {
		defer state.Store(packed) // if packing panics, too: nobody must wait for ever
		q.Pack(b, lo, hi)
		return
	}
	for spins := 1; state.Load() != packed; spins++ {
		if spins%256 == 0 {
			runtime.Gosched()
		}
	}
}
