package memory

import "sync"

// Pool keeps objects for reuse. Unlike sync.Pool it drops none during garbage collection, so a
// warm program does not allocate again. It holds as many objects as were in use at once since
// the last Forget. The zero Pool is ready to use.
type Pool[T any] struct {
	mu   sync.Mutex
	free []*T
}

// Get returns an object from the pool, or a new one if the pool is empty.
func (p *Pool[T]) Get() *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		x := p.free[n-1]
		p.free = p.free[:n-1]
		return x
	}
	return new(T)
}

// Put returns x to the pool.
func (p *Pool[T]) Put(x *T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, x)
}

// Forget drops the objects that are not in use.
func (p *Pool[T]) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = nil
}
