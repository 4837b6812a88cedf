package httpd

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Guard protects a browser's user from foreign web pages that send requests to a server
// in the user's network, and lets the pages of chosen origins through (CORS).
type Guard struct {
	Origins []string     // that may send requests, such as "https://example.org"; "*": all
	Expose  []string     // response headers that pages of Origins may read
	Refuse  http.Handler // answers a request that does not pass
}

// Wrap returns next behind the guard. It returns an error if an origin is malformed.
func (g Guard) Wrap(next http.Handler) (http.Handler, error) {
	cross := http.NewCrossOriginProtection()
	hosts := map[string]bool{}
	for _, o := range g.Origins {
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
		trusted := slices.Contains(g.Origins, "*") || cross.Check(r) == nil
		switch {
		case !trusted || !rightHost(r, hosts):
			g.Refuse.ServeHTTP(w, r)
		case !g.preflight(w, r):
			next.ServeHTTP(w, r)
		}
	}), nil
}

// rightHost reports whether a request over the loopback interface asks for a local host.
// A foreign name that resolves to the loopback address is an attack through a browser
// (DNS rebinding): the browser takes its page and this server for the same origin.
func rightHost(r *http.Request, allowed map[string]bool) bool {
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
		return true // nobody can redirect an address
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || allowed[host]
}

// preflight sets the CORS headers for a page of an allowed origin. It answers the
// browser's question whether the page may send a request, and returns true if the
// request was this question.
func (g Guard) preflight(w http.ResponseWriter, r *http.Request) bool {
	if len(g.Origins) == 0 {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(g.Origins, origin) && !slices.Contains(g.Origins, "*") {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if len(g.Expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(g.Expose, ", "))
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
