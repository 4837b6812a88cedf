package httpd

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestGuard checks who passes: requests of programs, of the server's own pages and of
// allowed origins.
func TestGuard(t *testing.T) {
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	h, err := Guard{Origins: []string{"https://good.example"}, Refuse: status(http.StatusForbidden)}.Wrap(status(http.StatusOK))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	for _, c := range []struct {
		method, host, origin string
		want                 int
	}{
		{"POST", "", "", 200},
		{"POST", "localhost", "http://localhost", 200},
		{"POST", "", "https://good.example", 200},
		{"POST", "", "https://evil.example", 403},
		{"GET", "evil.example", "", 403}, // DNS rebinding
		{"GET", "good.example", "", 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if got.Body.Close(); got.StatusCode != c.want {
			t.Errorf("%+v: status %d", c, got.StatusCode)
		}
	}
	if _, err := (Guard{Origins: []string{"nonsense"}}).Wrap(h); err == nil {
		t.Error("Wrap accepts a malformed origin")
	}
}

func TestHasKey(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	if !HasKey(r, "") || HasKey(r, "right") {
		t.Error("without a key in the request")
	}
	r.Header.Set("Authorization", "Bearer right")
	if !HasKey(r, "right") || HasKey(r, "wrong") {
		t.Error("with a key in the request")
	}
}
