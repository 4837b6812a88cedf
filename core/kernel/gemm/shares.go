package gemm

import (
	"runtime"
	"sync/atomic"
)

// Shares tracks which panels are packed for several threads that multiply by all of them. Each
// thread packs one share, then multiplies by it first while the others pack theirs, so that
// none waits if all are about equally fast. If a thread needs a share that its owner has not
// begun, it packs the share itself: the threads need not run at the same time.
type Shares struct{ states []atomic.Uint32 }

// The states of a share.
const (
	unpacked uint32 = iota
	taken           // a thread is packing it
	packed
)

// Begin sets up n shares, none of them packed. Call it for the first products, and again
// whenever the panels move on to other lines or depths.
func (s *Shares) Begin(n int) {
	if len(s.states) != n {
		s.states = make([]atomic.Uint32, n)
	}
	for i := range s.states {
		s.states[i].Store(unpacked)
	}
}

// PartShared is Part for rows [i0, i1) of p's c with all panels, whether they are packed yet or
// not, on the thread that owns the given share. It calls p.Done.
func (q *Panels) PartShared(p *Product, i0, i1 int, s *Shares, own int) {
	scratch := Borrow()
	defer scratch.GiveBack()
	t := part{Product: p, path: q.path, Scratch: scratch, i0: i0, i1: i1, j1: q.Count(), last: q.last(p), shares: s.states, own: own}
	t.multiply(q)
}

// eachShare multiplies by all panels, as block does, one share after another.
func (t *part) eachShare(q *Panels, a lines, i, rows int) {
	n := len(t.shares)
	for k := range n {
		share := (t.own + k) % n
		lo, hi := t.j1*share/n, t.j1*(share+1)/n
		q.provide(&t.shares[share], t.B, lo, hi)
		t.strips(q, a, i, rows, lo, hi)
	}
}

// provide returns once the panels [lo, hi) are packed.
func (q *Panels) provide(state *atomic.Uint32, b Operand, lo, hi int) {
	if state.CompareAndSwap(unpacked, taken) {
		defer state.Store(packed) // after a panic too: no thread may wait for ever
		q.Pack(b, lo, hi)
		return
	}
	for spins := 1; state.Load() != packed; spins++ {
		if spins%256 == 0 {
			runtime.Gosched()
		}
	}
}
