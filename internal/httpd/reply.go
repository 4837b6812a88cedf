package httpd

import (
	"cmp"
	"net/http"
	"sync/atomic"
	"time"
)

// Reply is an http.ResponseWriter for clients that may be slow. Each write has a
// deadline, so that a client that does not read holds no resources for long. Reply keeps
// the status for logs and metrics.
type Reply struct {
	http.ResponseWriter
	control   *http.ResponseController
	patience  time.Duration
	abandoned atomic.Bool
	bodyRead  bool
	status    int

	Began  time.Time
	Failed int // status of an error after the header was sent, or 0
}

// NewReply returns a reply to a client that has the given time to send its body, and for
// each write to read what is written.
func NewReply(w http.ResponseWriter, patience time.Duration) *Reply {
	r := &Reply{ResponseWriter: w, control: http.NewResponseController(w), patience: patience, Began: time.Now()}
	_ = r.control.SetReadDeadline(r.Began.Add(patience))
	return r
}

// extend sets the deadline of the next write. A writer without deadlines ignores it.
func (r *Reply) extend() {
	deadline := time.Now().Add(r.patience)
	if r.abandoned.Load() {
		deadline = time.Now()
	}
	_ = r.control.SetWriteDeadline(deadline)
}

// Abandon makes writes fail, including one in progress. Any goroutine may call it.
func (r *Reply) Abandon() {
	r.abandoned.Store(true)
	_ = r.control.SetWriteDeadline(time.Now())
}

// Refuse leaves time to write an error: net/http discards the rest of an unread body
// before it writes.
func (r *Reply) Refuse() {
	if !r.bodyRead {
		_ = r.control.SetReadDeadline(time.Now().Add(r.patience / 2))
	}
}

// WriteHeader implements http.ResponseWriter.
func (r *Reply) WriteHeader(status int) {
	r.status = cmp.Or(r.status, status)
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *Reply) Write(b []byte) (int, error) {
	r.extend()
	r.status = cmp.Or(r.status, http.StatusOK)
	return r.ResponseWriter.Write(b)
}

// FlushError implements what http.ResponseController expects.
func (r *Reply) FlushError() error {
	r.extend()
	return r.control.Flush()
}

// Unwrap lets http.ResponseController find the connection.
func (r *Reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Status returns the status for logs and metrics.
func (r *Reply) Status() int { return cmp.Or(r.Failed, r.status, http.StatusOK) }
