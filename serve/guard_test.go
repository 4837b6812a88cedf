package serve

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// ask sends a request with the given headers; "Host" is one of them.
func ask(t *testing.T, at *httptest.Server, method, path string, headers map[string]string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at.URL+path, strings.NewReader(`{"prompt":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	r.Host = headers["Host"]
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	return got
}

// TestKey checks that only the page and /health are open without the key.
func TestKey(t *testing.T) {
	_, at := start(t, func(s *Settings) { s.Key = "right" }, modelOf(t, "m", saying(nil, 1)))
	for given, want := range map[string]int{"Bearer right": 200, "right": 200, "Bearer wrong": 401, "Bearer right ": 200, "": 401, "Bearer ": 401, "Basic right": 401} {
		for _, path := range []string{"/v1/models", "/metrics"} {
			if got := ask(t, at, "GET", path, map[string]string{"Authorization": given}); got.StatusCode != want {
				t.Errorf("%q %s: %d", given, path, got.StatusCode)
			}
		}
		if got := ask(t, at, "POST", "/v1/completions", map[string]string{"Authorization": given}); got.StatusCode != want {
			t.Errorf("%q: %d", given, got.StatusCode)
		}
	}
	for _, path := range []string{"/health", "/", "/chat.js", "/chat.css"} {
		if got := ask(t, at, "GET", path, nil); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
}

// TestHost checks that the server refuses a foreign host name over the loopback.
func TestHost(t *testing.T) {
	_, at := start(t, func(s *Settings) { s.Origins = []string{"https://good.example"} }, modelOf(t, "m", saying(nil, 1)))
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:1": 200, "[::1]:8080": 200, "a.localhost": 200, "192.168.1.7": 200,
		"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "good.example": 200,
	} {
		if got := ask(t, at, "GET", "/v1/models", map[string]string{"Host": host}); got.StatusCode != want {
			t.Errorf("%s: %d", host, got.StatusCode)
		}
	}
}

// TestOrigin checks that only pages of allowed origins may send requests.
func TestOrigin(t *testing.T) {
	for _, c := range []struct {
		allowed []string
		origin  string
		want    int
		header  string
	}{
		{nil, "", 200, ""},
		{nil, "http://HOST", 200, ""},
		{nil, "https://evil.example", 403, ""},
		{nil, "null", 403, ""},
		{[]string{"https://good.example"}, "https://good.example", 200, "https://good.example"},
		{[]string{"https://good.example"}, "https://evil.example", 403, ""},
		{[]string{"*"}, "https://evil.example", 200, "https://evil.example"},
	} {
		_, at := start(t, func(s *Settings) { s.Origins = c.allowed }, modelOf(t, "m", saying(nil, 1)))
		host := at.Listener.Addr().String()
		origin := strings.ReplaceAll(c.origin, "HOST", host)
		got := ask(t, at, "POST", "/v1/completions", map[string]string{"Origin": origin, "Host": host})
		if got.StatusCode != c.want || got.Header.Get("Access-Control-Allow-Origin") != c.header {
			t.Errorf("%+v: %d %v", c, got.StatusCode, got.Header)
		}
		asked := ask(t, at, "OPTIONS", "/v1/completions", map[string]string{
			"Origin": origin, "Host": host, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-stainless-os",
		})
		if let := asked.StatusCode == http.StatusNoContent && asked.Header.Get("Access-Control-Allow-Headers") != ""; let != (c.header != "") {
			t.Errorf("%+v: the preflight gives %d %v", c, asked.StatusCode, asked.Header)
		}
	}
	if _, err := New(Settings{Slots: 1, BodyBytes: 1, Choices: 1, Timeout: 1, Patience: 1, Backlog: 1, Origins: []string{"nonsense"}}, modelOf(t, "m", saying(nil, 1))); err == nil {
		t.Error("an origin that is none passes")
	}
}

// TestRoutes checks models, health, and the errors of unknown paths and wrong methods.
func TestRoutes(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", saying(nil, 1)), modelOf(t, "org/other", saying(nil, 1)))
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/v1/models", 200, `"id":"org/other"`},
		{"GET", "/v1/models/org/other", 200, `"id":"org/other"`},
		{"GET", "/v1/models/none", 404, `"code":"model_not_found"`},
		{"GET", "/health", 200, `{"status":"ok"}`},
		{"GET", "/v1/completions", 405, `"message":"use POST"`},
		{"POST", "/v1/models", 405, `"message":"use GET"`},
		{"GET", "/v2", 404, `"message":"there is nothing at /v2"`},
		{"GET", "/page/index.html", 404, `"code":"not_found"`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, at.URL+c.path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		at.Config.Handler.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
	}
}

// TestPage checks that the page loads nothing foreign and has no inline scripts.
func TestPage(t *testing.T) {
	_, at := start(t, nil, modelOf(t, "m", saying(nil, 1)))
	for path, kind := range map[string]string{"/": "text/html", "/chat.js": "text/javascript", "/pane.js": "text/javascript", "/api.js": "text/javascript", "/text.js": "text/javascript", "/chat.css": "text/css"} {
		got := ask(t, at, "GET", path, nil)
		if !strings.HasPrefix(got.Header.Get("Content-Type"), kind) || !strings.Contains(got.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: %v", path, got.Header)
		}
	}
	for _, name := range []string{"index.html", "chat.js", "pane.js", "api.js", "text.js", "chat.css"} {
		b, err := files.ReadFile("page/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", " onclick=", " style="} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
}

// TestNew checks that New refuses invalid settings and models.
func TestNew(t *testing.T) {
	m := modelOf(t, "m", saying(nil, 1))
	if _, err := New(Defaults()); err == nil {
		t.Error("no model passes")
	}
	if _, err := New(Defaults(), m, m); err == nil {
		t.Error("two models of one name pass")
	}
	spoilt := 0
	for _, spoil := range []func(*Settings){
		func(s *Settings) { s.Slots = 0 }, func(s *Settings) { s.Queue = -1 }, func(s *Settings) { s.BodyBytes = 0 },
		func(s *Settings) { s.Timeout = 0 }, func(s *Settings) { s.AnswerTokens = -1 }, func(s *Settings) { s.Choices = 0 },
	} {
		s := Defaults()
		spoil(&s)
		if _, err := New(s, m); err != nil {
			spoilt++
		}
	}
	if spoilt != 6 {
		t.Errorf("%d of 6 mistakes are found", spoilt)
	}
}

// TestLongBody checks that the server refuses a long body without reading it.
func TestLongBody(t *testing.T) {
	_, at := start(t, func(s *Settings) { s.BodyBytes = 100 }, modelOf(t, "m", saying(nil, 1)))
	body := `{"prompt":"a","user":"` + string(make([]byte, 200)) + `"}`
	if status, a := whole(t, at.URL+"/v1/completions", body); status != http.StatusRequestEntityTooLarge || a.Error.Code != "body_too_large" {
		t.Errorf("%d %+v", status, a.Error)
	}
}

// TestSlowBody checks that a client that does not send its body in time gets an error, also
// if the server has refused the request before.
func TestSlowBody(t *testing.T) {
	for key, want := range map[string]int{"right": http.StatusBadRequest, "wrong": http.StatusUnauthorized} {
		_, at := start(t, func(s *Settings) { s.Key, s.Patience = "right", 200*time.Millisecond }, modelOf(t, "m", saying(nil, 1)))
		conn, err := net.Dial("tcp", at.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", key)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Body.Close(); r.StatusCode != want {
			t.Errorf("%s: %d", key, r.StatusCode)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is open still: %v", key, err)
		}
	}
}
