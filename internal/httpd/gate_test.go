package httpd

import (
	"errors"
	"testing"
)

// TestGate checks that a gate admits a fixed number of requests, that a closed gate
// admits none, and that its channel closes with the last request inside.
func TestGate(t *testing.T) {
	g := NewGate(2)
	for range 2 {
		if err := g.Enter(); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Enter(); !errors.Is(err, ErrFull) {
		t.Errorf("a third request: %v", err)
	}
	g.Leave()
	empty := g.Close()
	if err := g.Enter(); !errors.Is(err, ErrClosed) || !g.Closed() {
		t.Errorf("a request at a closed gate: %v", err)
	}
	select {
	case <-empty:
		t.Error("the gate is empty with one request inside")
	default:
	}
	g.Leave()
	<-empty
	if g.Close() != empty {
		t.Error("a second Close returns another channel")
	}
}
