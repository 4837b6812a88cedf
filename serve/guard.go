package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

var errForeign = errors.New("the request is from a page elsewhere")

// admitting returns next behind what a browser's user is guarded by from pages
// elsewhere, and what lets the pages of Origins through.
func (s *Server) admitting(next http.Handler) (http.Handler, error) {
	cross := http.NewCrossOriginProtection()
	hosts := map[string]bool{}
	for _, o := range s.Origins {
		if o == "*" {
			continue
		}
		if err := cross.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("origin %q: %w", o, err)
		}
		if u, err := url.Parse(o); err == nil {
			hosts[u.Hostname()] = true
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := cross.Check(r)
		if slices.Contains(s.Origins, "*") {
			err = nil
		}
		if !rightHost(r, hosts) {
			err = errForeign
		}
		if err != nil {
			s.told("other", func(*reply, *http.Request) error { return forbidden(r) }).ServeHTTP(w, r)
			return
		}
		if s.allowOrigin(w, r) {
			next.ServeHTTP(w, r)
		}
	}), nil
}

func forbidden(r *http.Request) *Error {
	return &Error{
		Status: http.StatusForbidden, Type: invalidRequest, Code: "forbidden_origin",
		Message: fmt.Sprintf("requests from %q to %q are not let through: start the server with --allow-origin for them", excerpt([]byte(r.Header.Get("Origin"))), excerpt([]byte(r.Host))),
	}
}

// rightHost reports whether a request that came over the loopback asks for a host
// that is on it. A name from elsewhere that leads here is an attack by way of a
// browser (DNS rebinding): its page would be of the same origin as we are.
func rightHost(r *http.Request, more map[string]bool) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() {
		return true
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil {
		return true // an address is not looked up
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || more[host]
}

// allowOrigin answers browsers that ask whether a page elsewhere may come (CORS),
// and reports whether the request is another.
func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) (goOn bool) {
	if len(s.Origins) == 0 {
		return true
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.Origins, origin) && !slices.Contains(s.Origins, "*") {
		return true
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-Seed, X-Should-Retry")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return true
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return false
}

// checkKey compares hashes, so that the time it takes tells nothing of the key.
func (s *Server) checkKey(r *http.Request) error {
	if s.Key == "" {
		return nil
	}
	given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, got := sha256.Sum256([]byte(s.Key)), sha256.Sum256([]byte(given))
	if subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
		return nil
	}
	return &Error{
		Status: http.StatusUnauthorized, Type: invalidRequest, Code: "invalid_api_key",
		Message: "this server wants its API key: Authorization: Bearer KEY",
	}
}
