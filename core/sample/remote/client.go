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
	slots  chan struct{} // one for each request at once
	clock  clock
	most   int64 // bytes of an answer
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

// followHome follows a redirect that sends the same request to the same server.
// Any other would take prompts and key elsewhere, or lose the body.
func followHome(next *http.Request, via []*http.Request) error {
	first := via[0]
	same := next.URL.Scheme == first.URL.Scheme && next.URL.Host == first.URL.Host
	if same && next.Method == first.Method && len(via) < 5 {
		return nil
	}
	return http.ErrUseLastResponse
}

// attempt posts body once and gives the answer to read. Its failure, if any, says
// whether another attempt may help.
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
		return broken(ctx, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, c.most+1))
	switch {
	case answer.StatusCode != http.StatusOK:
		return c.refused(answer, text)
	case err != nil:
		return broken(ctx, err)
	case int64(len(text)) > c.most:
		return &failure{err: fmt.Errorf("the answer is longer than %d bytes", c.most)}
	}
	return misread(read(text))
}

// idempotencyKey names a request by what it says, so that a gateway which knows
// the header (draft-ietf-httpapi-idempotency-key-header) computes it once, however often it is
// asked.
func idempotencyKey(body []byte) string {
	return fmt.Sprintf("herd-%x", sha256.Sum256(body))
}

// Close closes the connections that wait for the next request.
func (c *client) Close() { c.http.CloseIdleConnections() }

var errTimeout = errors.New("no answer in time")
