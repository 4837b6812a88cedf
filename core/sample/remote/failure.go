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

// failure is the error of one attempt.
type failure struct {
	err   error
	hint  string        // what the user can do
	again bool          // another attempt may succeed
	after time.Duration // the earliest time for it: Retry-After
}

func (f *failure) Error() string { return f.err.Error() }

// permanent returns an error that another attempt would repeat.
func permanent(format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...)}
}

// unreadable returns the failure of an answer that read rejects. Another attempt may
// succeed unless the error is permanent.
func unreadable(err error) *failure {
	var f *failure
	if err == nil || errors.As(err, &f) {
		return f
	}
	return &failure{err: fmt.Errorf("the answer is invalid: %w", err), again: true}
}

// connectionFailure returns the failure of a connection that was cut, refused or silent for
// too long. It is permanent if the host does not exist or has no valid certificate.
func connectionFailure(ctx context.Context, err error) *failure {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // post names the URL
	}
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	final := errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch)
	return &failure{err: err, again: !final}
}

// statusFailure returns the failure of an answer with a status other than 200.
func (c *client) statusFailure(answer *http.Response, body []byte) *failure {
	code := answer.StatusCode
	text := fmt.Sprintf("%d %s", code, http.StatusText(code))
	if code/100 == 3 {
		return &failure{err: fmt.Errorf("%s: it redirects to %s, which herd does not follow: set url to that address if you trust it", text, redirectTarget(answer))}
	}
	if words := serverMessage(body); words != "" {
		text += ": " + words
	}
	return &failure{
		err:   errors.New(text),
		hint:  hints[code],
		again: temporary(code),
		after: retryAfter(answer.Header.Get("Retry-After"), c.clock.now()),
	}
}

// temporary reports whether a later attempt may get another status.
func temporary(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return code >= 500
}

// hints say what the user can do.
var hints = map[int]string{
	http.StatusBadRequest:            "if the server does not know a field, set standard to true; if it takes no token ids, set prompt to text or chat; if the prompt is too long, lower max_tokens",
	http.StatusUnauthorized:          "set key_env to the environment variable that holds the key",
	http.StatusForbidden:             "check whether the key in key_env may use this model",
	http.StatusNotFound:              "check url and model",
	http.StatusMethodNotAllowed:      "check url",
	http.StatusRequestEntityTooLarge: "the prompt is too long for the server",
	http.StatusUnprocessableEntity:   "if the server does not know a field, set standard to true",
}

// redirectTarget returns the target of a redirect, without parts that may be secret.
func redirectTarget(answer *http.Response) string {
	u, err := answer.Location()
	if err != nil {
		return "nowhere"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// serverMessage returns a server's error message, in the forms of OpenAI, vLLM, FastAPI
// and Ollama.
func serverMessage(body []byte) string {
	var shapes struct {
		Error, Detail json.RawMessage
		Message       string
	}
	if json.Unmarshal(body, &shapes) != nil {
		return string(body)
	}
	return cmp.Or(messageOf(shapes.Error), shapes.Message, messageOf(shapes.Detail), string(body))
}

// messageOf returns the message of an error, which is a text or an object.
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

// maxMessage is how many characters of a server's message an error repeats.
const maxMessage = 300

// message returns one line about a failure for the user. It removes the key, which a
// server may have sent back.
func (c *client) message(f *failure) string {
	if errors.Is(f.err, errTimeout) {
		return fmt.Sprintf("no answer within %s", c.limits.Timeout)
	}
	text := show.Line(c.key.redact(f.err.Error()), maxMessage)
	if f.hint != "" {
		text += " (" + f.hint + ")"
	}
	return text
}
