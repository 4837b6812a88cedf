package serve

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestQueueOrder checks that the queue admits requests in the order of their arrival, also
// a large one behind small ones, and never more answers than slots.
func TestQueueOrder(t *testing.T) {
	q := newQueue(4, 10)
	hold, err := q.enter(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []int
	most, now := 0, 0
	var all sync.WaitGroup
	sizes := []int{1, 3, 9, 2, 1, 1} // 9 is all of the 4
	for i, n := range sizes {
		all.Go(func() {
			leave, err := q.enter(t.Context(), n)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, i)
			now += min(n, 4)
			most = max(most, now)
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			now -= min(n, 4)
			mu.Unlock()
			leave()
		})
		eventually(t, "it waits", func() bool { _, n := q.lengths(); return n == i+1 })
	}
	hold()
	all.Wait()
	// Requests that the queue admits together run in any order: 0 and 1, then 2, then the rest.
	slices.Sort(order[:2])
	slices.Sort(order[3:])
	if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5}) || most != 4 {
		t.Errorf("order %v, %d at once", order, most)
	}
	if running, waiting := q.lengths(); running != 0 || waiting != 0 {
		t.Errorf("%d run, %d wait", running, waiting)
	}
}

// TestQueueAbandoned checks that a request that leaves makes room, also just after its
// admission.
func TestQueueAbandoned(t *testing.T) {
	q := newQueue(1, 2)
	hold, err := q.enter(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := q.enter(ctx, 1); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	eventually(t, "two wait", func() bool { _, n := q.lengths(); return n == 2 })
	var full *Error
	if _, err := q.enter(t.Context(), 1); !errors.As(err, &full) || full.Status != http.StatusTooManyRequests || full.Retry < time.Second {
		t.Errorf("the queue is full: %v", err)
	}
	cancel()
	all.Wait()
	hold()
	ticket := &ticket{1, make(chan struct{})}
	place, err := q.join(ticket) // is admitted at once, and leaves nevertheless
	if err != nil {
		t.Fatal(err)
	}
	q.abandon(place, ticket)
	if running, waiting := q.lengths(); running != 0 || waiting != 0 {
		t.Errorf("%d run, %d wait", running, waiting)
	}
}

// TestNoQueue checks a queue without places to wait: it admits only what has room at once.
func TestNoQueue(t *testing.T) {
	q := newQueue(2, 0)
	leave, err := q.enter(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.enter(t.Context(), 2); err == nil {
		t.Error("there is no room for two more")
	}
	leave()
	if _, err := q.enter(t.Context(), 2); err != nil {
		t.Error(err)
	}
}

// TestWait checks that Retry-After grows with the queue and the time of answers, between a
// second and a minute.
func TestWait(t *testing.T) {
	for _, c := range []struct {
		pace    time.Duration
		waiting int
		want    time.Duration
	}{{0, 5, time.Second}, {8 * time.Second, 1, 4 * time.Second}, {8 * time.Second, 3, 8 * time.Second}, {time.Hour, 9, time.Minute}} {
		q := newQueue(2, 10)
		q.pace = c.pace
		for range c.waiting {
			q.waiting.PushBack(nil)
		}
		if got := q.wait(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestBackPressure checks that requests beyond the queue get 429 with the time to try again,
// and that admitted requests are answered.
func TestBackPressure(t *testing.T) {
	open := make(chan struct{})
	step := func(context.Context) error { <-open; return nil }
	s, at := start(t, func(s *Settings) { s.Slots, s.Queue = 1, 2 }, modelOf(t, "m", saying(step, 1)))
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if status, a := whole(t, at.URL+"/v1/completions", `{"prompt":"a"}`); status != http.StatusOK {
				t.Errorf("%d %+v", status, a.Error)
			}
		})
	}
	eventually(t, "two wait", func() bool { _, n := s.models[0].queue.lengths(); return n == 2 })
	for range 5 {
		r := post(t, at.URL+"/v1/completions", `{"prompt":"a","stream":true}`)
		r.Body.Close()
		after, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if r.StatusCode != http.StatusTooManyRequests || err != nil || after < 1 || r.Header.Get("X-Should-Retry") != "" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	}
	close(open)
	all.Wait()
}
