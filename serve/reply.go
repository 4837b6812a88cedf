package serve

import (
	"cmp"
	"net/http"
	"sync/atomic"
	"time"
)

// reply is a response with what log and metrics say of it. Every write has a
// deadline, so that a client that does not read holds nothing for long.
type reply struct {
	http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration
	given    atomic.Bool // up on the client
	began    time.Time
	read     bool // the whole body

	status int
	failed int // status of an error that came after the header, or 0
	model  *served
	prompt int // tokens
	drawn  int // tokens
}

func newReply(w http.ResponseWriter, patience time.Duration) *reply {
	return &reply{ResponseWriter: w, control: http.NewResponseController(w), patience: patience, began: time.Now()}
}

// extend gives the client time to read what comes. (A writer that knows no deadlines
// has none.)
func (r *reply) extend() {
	deadline := time.Now().Add(r.patience)
	if r.given.Load() {
		deadline = time.Now()
	}
	_ = r.control.SetWriteDeadline(deadline)
}

// cut makes writes fail, also one that is under way.
func (r *reply) cut() {
	r.given.Store(true)
	_ = r.control.SetWriteDeadline(time.Now())
}

// WriteHeader implements http.ResponseWriter.
func (r *reply) WriteHeader(status int) {
	r.status = cmp.Or(r.status, status)
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *reply) Write(b []byte) (int, error) {
	r.extend()
	r.status = cmp.Or(r.status, http.StatusOK)
	return r.ResponseWriter.Write(b)
}

// FlushError implements what http.ResponseController asks for.
func (r *reply) FlushError() error {
	r.extend()
	return r.control.Flush()
}

// Unwrap lets http.ResponseController find the connection.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// outcome is the status that log and metrics count.
func (r *reply) outcome() int { return cmp.Or(r.failed, r.status, http.StatusOK) }
