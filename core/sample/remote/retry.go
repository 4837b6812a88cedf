package remote

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// clock is the time and the randomness of retries. Tests replace it.
type clock struct {
	now    func() time.Time
	wait   func(context.Context, time.Duration) error
	random func() float64 // in [0,1)
}

func wallClock() clock { return clock{time.Now, wait, rand.Float64} }

// wait returns after d, or with an error at the end of ctx.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	firstPause = 500 * time.Millisecond
	maxPause   = 30 * time.Second
	maxAfter   = 2 * time.Minute // a longer Retry-After is cut to this
)

// post sends body until read accepts an answer, a failure is permanent, the limits are
// reached, or ctx ends. Pauses grow exponentially with full jitter
// (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), and are no shorter
// than the server's Retry-After.
func (c *client) post(ctx context.Context, url string, body []byte, read func([]byte) error) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	began := c.clock.now()
	for attempts := 1; ; attempts++ {
		f := c.attempt(ctx, url, body, read)
		switch {
		case f == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !f.again:
			return fmt.Errorf("POST %s: %s", url, c.message(f))
		}
		pause := f.after + c.jitter(attempts)
		if waited := c.clock.now().Sub(began); attempts > c.limits.Retries || waited+pause > c.limits.Patience {
			return fmt.Errorf("POST %s: gave up after %d attempts in %s: %s", url, attempts, waited.Round(time.Millisecond), c.message(f))
		}
		if err := c.clock.wait(ctx, pause); err != nil {
			return err
		}
	}
}

// jitter returns a random pause after the given number of attempts.
func (c *client) jitter(attempts int) time.Duration {
	most := maxPause
	if attempts < 7 {
		most = min(most, firstPause<<(attempts-1))
	}
	return time.Duration(c.clock.random() * float64(most))
}

// retryAfter parses the header of RFC 9110, section 10.2.3: seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	var after time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		after = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		after = date.Sub(now)
	}
	return min(max(after, 0), maxAfter)
}
