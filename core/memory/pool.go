package memory

import "sync"

// Pool keeps objects for reuse. Unlike sync.Pool it forgets none by itself: no
// garbage collection makes a warm program allocate again. It holds as many objects
// as were in use at once since it was last told to Forget. The zero Pool is ready.
type Pool[T any] struct {
	mu   sync.Mutex
	free []*T
}

// Get returns an object that was put back, or a new one.
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

// Put makes x available to the next Get.
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
