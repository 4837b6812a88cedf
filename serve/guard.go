package serve

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/herd-lm/herd/internal/httpd"
)

// guard protects next from foreign web pages.
func (s *Server) guard(next http.Handler) (http.Handler, error) {
	return httpd.Guard{
		Origins: s.Origins,
		Expose:  []string{"Retry-After", "X-Seed", "X-Should-Retry"},
		Refuse:  s.observed("other", func(_ *reply, r *http.Request) error { return forbidden(r) }),
	}.Wrap(next)
}

func forbidden(r *http.Request) *Error {
	return &Error{
		Status: http.StatusForbidden, Type: invalidRequest, Code: "forbidden_origin",
		Message: fmt.Sprintf("herd refuses requests from origin %q to host %q: they are not among the server's allowed origins", excerpt([]byte(r.Header.Get("Origin"))), excerpt([]byte(r.Host))),
	}
}

// checkKey returns an error if a request lacks the server's key.
func (s *Server) checkKey(r *http.Request) error {
	if httpd.HasKey(r, s.Key) {
		return nil
	}
	return &Error{
		Status: http.StatusUnauthorized, Type: invalidRequest, Code: "invalid_api_key",
		Message: "the API key is missing or wrong: send it as Authorization: Bearer KEY",
	}
}

// enter admits a request through the gate, which it must leave.
func (s *Server) enter() error {
	switch err := s.gate.Enter(); {
	case errors.Is(err, httpd.ErrClosed):
		return unavailable()
	case err != nil:
		return busy(time.Second)
	}
	return nil
}

// body reads a request's body.
func (s *Server) body(w *reply, r *http.Request) ([]byte, error) {
	b, err := w.Body(r, s.BodyBytes)
	switch {
	case errors.Is(err, httpd.ErrTooLong):
		return nil, &Error{
			Status: http.StatusRequestEntityTooLarge, Type: invalidRequest, Code: "body_too_large",
			Message: "the body is longer than this server accepts",
		}
	case err != nil:
		return nil, &Error{Status: http.StatusBadRequest, Type: invalidRequest, Code: "body_unreadable", Message: "the body did not arrive completely"}
	}
	return b, nil
}
