package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// client posts JSON to one server.
type client struct {
	http   *http.Client
	key    key
	limits Limits
	slots  chan struct{} // one for each concurrent request
	clock  clock
	most   int64 // bytes in an answer
}

func newClient(a address, l Limits) (*client, error) {
	k, err := readKey(a.keyEnv)
	if err != nil {
		return nil, err
	}
	l = l.withDefaults()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = l.Concurrency
	transport.MaxIdleConns = l.Concurrency
	return &client{
		http:   &http.Client{Transport: transport, CheckRedirect: followHome},
		key:    k,
		limits: l,
		slots:  make(chan struct{}, l.Concurrency),
		clock:  wallClock(),
		most:   64 << 20,
	}, nil
}

// followHome follows a redirect that sends the same request to the same server. Any other
// redirect would send prompts and key elsewhere, or lose the body.
func followHome(next *http.Request, via []*http.Request) error {
	first := via[0]
	same := next.URL.Scheme == first.URL.Scheme && next.URL.Host == first.URL.Host
	if same && next.Method == first.Method && len(via) < 5 {
		return nil
	}
	return http.ErrUseLastResponse
}

// attempt posts body once and passes the answer to read. Its failure says whether
// another attempt may help; nil is success.
func (c *client) attempt(ctx context.Context, url string, body []byte, read func([]byte) error) *failure {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Timeout, errTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return &failure{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "herd")
	request.Header.Set("Idempotency-Key", idempotencyKey(body))
	c.key.authorize(request)
	answer, err := c.http.Do(request)
	if err != nil {
		return connectionFailure(ctx, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, c.most+1))
	switch {
	case answer.StatusCode != http.StatusOK:
		return c.statusFailure(answer, text)
	case err != nil:
		return connectionFailure(ctx, err)
	case int64(len(text)) > c.most:
		return &failure{err: fmt.Errorf("the answer is longer than %d bytes", c.most)}
	}
	return unreadable(read(text))
}

// idempotencyKey derives a name from the request's content. A gateway that knows the
// header (draft-ietf-httpapi-idempotency-key-header) then computes a repeated request once.
func idempotencyKey(body []byte) string {
	return fmt.Sprintf("herd-%x", sha256.Sum256(body))
}

// Close closes idle connections.
func (c *client) Close() { c.http.CloseIdleConnections() }

var errTimeout = errors.New("no answer in time")
