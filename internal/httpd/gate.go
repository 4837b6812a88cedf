package httpd

import (
	"errors"
	"sync"
)

// Errors of Gate.Enter.
var (
	ErrFull   = errors.New("too many requests are being processed")
	ErrClosed = errors.New("the server is shutting down")
)

// Gate bounds how many requests are processed at once, and so the memory they take.
// Enter it before you read a request's body. A closed gate admits nobody.
type Gate struct {
	mu     sync.Mutex
	inside int
	most   int
	closed bool
	empty  chan struct{} // closed once the gate is closed and nobody is inside
}

// NewGate returns an open gate for at most the given number of requests.
func NewGate(most int) *Gate { return &Gate{most: most, empty: make(chan struct{})} }

// Enter admits a request, which must Leave. It returns ErrFull or ErrClosed otherwise.
func (g *Gate) Enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return ErrClosed
	case g.inside == g.most:
		return ErrFull
	}
	g.inside++
	return nil
}

// Leave ends a request that entered.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.signal()
}

// Close stops admission. The channel is closed when all requests have left.
func (g *Gate) Close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		g.signal()
	}
	return g.empty
}

// signal closes the channel if the last request has left; mu is held.
func (g *Gate) signal() {
	if g.closed && g.inside == 0 {
		close(g.empty)
	}
}

// Closed reports whether Close was called.
func (g *Gate) Closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}
