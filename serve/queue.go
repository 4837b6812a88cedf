package serve

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// queue admits requests to a model in the order of their arrival. It bounds the answers
// that run at once and the requests that wait.
type queue struct {
	mu      sync.Mutex
	slots   int
	free    int
	most    int
	waiting *list.List    // of *ticket
	pace    time.Duration // moving average of the time that requests take
}

// ticket is a request in a queue.
type ticket struct {
	slots int
	ready chan struct{}
}

func newQueue(slots, most int) *queue {
	return &queue{slots: slots, free: slots, most: most, waiting: list.New()}
}

// enter waits until there is room for the answers of a request, which must leave. A
// request for more answers than slots takes all slots.
func (q *queue) enter(ctx context.Context, answers int) (leave func(), err error) {
	t := &ticket{min(answers, q.slots), make(chan struct{})}
	place, err := q.join(t)
	if err != nil {
		return nil, err
	}
	select {
	case <-t.ready:
		begin := time.Now()
		return func() { q.release(t, time.Since(begin)) }, nil
	case <-ctx.Done():
		q.abandon(place, t)
		return nil, ctx.Err()
	}
}

func (q *queue) join(t *ticket) (*list.Element, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting.Len() >= q.most && (q.waiting.Len() > 0 || q.free < t.slots) {
		return nil, busy(q.wait())
	}
	place := q.waiting.PushBack(t)
	q.admit()
	return place, nil
}

// admit admits requests from the front of the queue while there is room.
func (q *queue) admit() {
	for front := q.waiting.Front(); front != nil && front.Value.(*ticket).slots <= q.free; front = q.waiting.Front() {
		t := q.waiting.Remove(front).(*ticket)
		q.free -= t.slots
		close(t.ready)
	}
}

// release frees the slots of a request.
func (q *queue) release(t *ticket, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pace += (took - q.pace) / 8
	q.free += t.slots
	q.admit()
}

// abandon leaves the queue, or frees the slots if the request was admitted meanwhile.
func (q *queue) abandon(place *list.Element, t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-t.ready:
		q.free += t.slots
	default:
		q.waiting.Remove(place)
	}
	q.admit()
}

// wait estimates the time until half of the queue is admitted.
func (q *queue) wait() time.Duration {
	estimate := q.pace * time.Duration(q.waiting.Len()+1) / time.Duration(2*q.slots)
	return min(max(estimate, time.Second), time.Minute)
}

// lengths returns how many answers run and how many requests wait.
func (q *queue) lengths() (running, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.slots - q.free, q.waiting.Len()
}
