package serve

import (
	"context"
	"sync"

	"github.com/herd-lm/herd/core/sample"
)

// delta is what a choice grew by.
type delta struct {
	choice int
	sample.Delta
}

// deltaQueue carries deltas from an engine, which must not wait, to the goroutine that
// writes to a client, which may have to. A client that falls too far behind is cut off.
type deltaQueue struct {
	mu       sync.Mutex
	deltas   []delta
	sources  int           // that may still add
	most     int           // deltas
	overflow func()        // called if there are more
	ready    chan struct{} // holds a value if there may be deltas
}

func newDeltaQueue(sources, most int, overflow func()) *deltaQueue {
	return &deltaQueue{sources: sources, most: most, overflow: overflow, ready: make(chan struct{}, 1)}
}

func (q *deltaQueue) add(d delta) {
	q.mu.Lock()
	full := len(q.deltas) == q.most
	if !full {
		q.deltas = append(q.deltas, d)
	}
	q.mu.Unlock()
	if full {
		q.overflow()
	}
	q.wake()
}

// end removes a source, which adds nothing more.
func (q *deltaQueue) end() {
	q.mu.Lock()
	q.sources--
	q.mu.Unlock()
	q.wake()
}

func (q *deltaQueue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// next waits for deltas and returns them; it returns none when all sources have ended. It
// reuses the slice that the call before returned.
func (q *deltaQueue) next(ctx context.Context, used []delta) ([]delta, error) {
	for {
		q.mu.Lock()
		deltas, ended := q.deltas, q.sources == 0
		if len(deltas) > 0 {
			q.deltas = used[:0]
		}
		q.mu.Unlock()
		if len(deltas) > 0 || ended {
			return deltas, nil
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
