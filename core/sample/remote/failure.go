package remote

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/herd-lm/herd/core/text/show"
)

// failure is why an attempt gave nothing.
type failure struct {
	err   error
	hint  string        // what to do
	again bool          // another attempt may give more
	after time.Duration // but not before this time: Retry-After
}

func (f *failure) Error() string { return f.err.Error() }

// hopeless is an answer that will be the same however often it is asked for.
func hopeless(format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...)}
}

// misread is the failure of an answer that makes no sense. Another attempt may give
// a better one, unless it is hopeless.
func misread(err error) *failure {
	var f *failure
	if err == nil || errors.As(err, &f) {
		return f
	}
	return &failure{err: fmt.Errorf("the answer is broken: %w", err), again: true}
}

// broken is the failure of a connection: cut, refused or silent for too long. It is
// final if there is no such host, or none that proves who it is.
func broken(ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // the URL is said elsewhere
	}
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	final := errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch)
	return &failure{err: err, again: !final}
}

// refused is the failure of an answer whose status is not 200.
func (c *client) refused(answer *http.Response, body []byte) *failure {
	code := answer.StatusCode
	text := fmt.Sprintf("%d %s", code, http.StatusText(code))
	if code/100 == 3 {
		return &failure{err: fmt.Errorf("%s: it redirects to %s, which is not followed: set url to that if you trust it", text, target(answer))}
	}
	if words := said(body); words != "" {
		text += ": " + words
	}
	return &failure{
		err:   errors.New(text),
		hint:  hints[code],
		again: temporary(code),
		after: retryAfter(answer.Header.Get("Retry-After"), c.clock.now()),
	}
}

// temporary reports whether a status may be another one later.
func temporary(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return code >= 500
}

// hints say what to do.
var hints = map[int]string{
	http.StatusBadRequest:            "if the server does not know a field: standard: true; if it takes no token ids: prompt: text, or chat; if the prompt is too long: a smaller max_tokens",
	http.StatusUnauthorized:          "name the environment variable that holds the key: key_env",
	http.StatusForbidden:             "may the key of key_env use this model?",
	http.StatusNotFound:              "check url and model",
	http.StatusMethodNotAllowed:      "check url",
	http.StatusRequestEntityTooLarge: "the prompt is too long for the server",
	http.StatusUnprocessableEntity:   "if the server does not know a field: standard: true",
}

// target is where a redirect leads, without what may be secret in it.
func target(answer *http.Response) string {
	u, err := answer.Location()
	if err != nil {
		return "nowhere"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// said finds a server's message in the shapes of OpenAI, vLLM, FastAPI and
// Ollama.
func said(body []byte) string {
	var shapes struct {
		Error, Detail json.RawMessage
		Message       string
	}
	if json.Unmarshal(body, &shapes) != nil {
		return string(body)
	}
	return cmp.Or(messageOf(shapes.Error), shapes.Message, messageOf(shapes.Detail), string(body))
}

// messageOf is that of an error, which is a text or an object with one in it.
func messageOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var object struct{ Message string }
	if json.Unmarshal(raw, &object) == nil && object.Message != "" {
		return object.Message
	}
	return string(bytes.TrimPrefix(raw, []byte("null")))
}

// maxSaid is how much of a failure an error repeats, in characters.
const maxSaid = 300

// shown is what an error says of a failure: one line that is not too long, without
// the key, which a server may have sent back.
func (c *client) shown(f *failure) string {
	if errors.Is(f.err, errTimeout) {
		return fmt.Sprintf("no answer within %s", c.limits.Timeout)
	}
	text := show.Line(c.key.redact(f.err.Error()), maxSaid)
	if f.hint != "" {
		text += " (" + f.hint + ")"
	}
	return text
}
