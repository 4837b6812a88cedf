package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/herd-lm/herd/internal/httpd"
)

// Error is an error for a client, in the form of OpenAI's API.
type Error struct {
	Status  int // of HTTP
	Message string
	Type    string
	Param   string        // the invalid parameter, or ""
	Code    string        // for programs, or ""
	Retry   time.Duration // when to try again; 0: a repeated request would fail too
}

// Types of errors.
const (
	invalidRequest = "invalid_request_error"
	rateLimit      = "rate_limit_error"
	serverError    = "server_error"
)

// statusGone is the status in the log if the client disconnects before its answer is
// complete, as in nginx. The server never sends it.
const statusGone = 499

var (
	errGone    = errors.New("the client disconnected")
	errSlow    = errors.New("the client reads its answer too slowly")
	errTimeout = errors.New("the request took too long")
)

func (e *Error) Error() string { return e.Message }

// invalid returns the error of an invalid parameter.
func invalid(param, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: invalidRequest, Param: param, Code: "invalid_value", Message: fmt.Sprintf(format, args...)}
}

func unsupported(param string) *Error {
	e := invalid(param, "this server does not support %s: leave it out", param)
	e.Code = "unsupported_parameter"
	return e
}

func notFound(code, format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Type: invalidRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func busy(retry time.Duration) *Error {
	return &Error{
		Status: http.StatusTooManyRequests, Type: rateLimit, Code: "rate_limit_exceeded", Retry: retry,
		Message: "too many requests are waiting: try again later",
	}
}

func unavailable() *Error {
	return &Error{
		Status: http.StatusServiceUnavailable, Type: serverError, Code: "shutting_down", Retry: 5 * time.Second,
		Message: httpd.ErrClosed.Error(),
	}
}

// asError returns err in the form for the client. It hides the details of internal
// errors, which belong in the log.
func asError(ctx context.Context, err error) *Error {
	if shown, ok := errors.AsType[*Error](err); ok {
		return shown
	}
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, errTimeout):
		return &Error{Status: http.StatusGatewayTimeout, Type: serverError, Code: "timeout", Message: errTimeout.Error()}
	case errors.Is(cause, httpd.ErrClosed):
		return unavailable()
	case ctx.Err() != nil, errors.Is(err, errGone):
		return &Error{Status: statusGone, Type: serverError, Code: "gone", Message: errGone.Error()}
	case errors.Is(err, errors.ErrUnsupported):
		return &Error{Status: http.StatusNotImplemented, Type: serverError, Code: "unsupported", Message: "the model does not support this request"}
	}
	return &Error{Status: http.StatusInternalServerError, Type: serverError, Code: "internal_error", Message: "internal error: see the log of the server"}
}

// MarshalJSON writes {"error": ...}, with null for empty fields.
func (e *Error) MarshalJSON() ([]byte, error) {
	null := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	type body struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	return json.Marshal(map[string]body{"error": {e.Message, e.Type, null(e.Param), null(e.Code)}})
}

// write sends e. Headers say whether a client should try again.
func (e *Error) write(w http.ResponseWriter) {
	h := w.Header()
	if e.Retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.Retry+time.Second-1)/time.Second)))
	} else {
		h.Set("X-Should-Retry", "false") // OpenAI's clients read it
	}
	if e.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, e.Status, e)
}

// writeJSON sends v. It ignores write errors: the client has disconnected.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = newJSONEncoder(w).Encode(v)
}
