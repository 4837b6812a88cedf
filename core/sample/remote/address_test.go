package remote

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for url, want := range map[string][2]string{
		"http://localhost:8000":                     {"http://localhost:8000/v1", "http://localhost:8000/classify"},
		"http://localhost:8000/":                    {"http://localhost:8000/v1", "http://localhost:8000/classify"},
		"http://localhost:8000/v1":                  {"http://localhost:8000/v1", "http://localhost:8000/classify"},
		"http://localhost:8000/v1/":                 {"http://localhost:8000/v1", "http://localhost:8000/classify"},
		"http://localhost:8000/v1/completions":      {"http://localhost:8000/v1", ""},
		"http://localhost:8000/v1/chat/completions": {"http://localhost:8000/v1", ""},
		"https://example.org/gpu7":                  {"https://example.org/gpu7/v1", "https://example.org/gpu7/classify"},
		"https://example.org/v1beta/openai":         {"https://example.org/v1beta/openai", ""},
		"http://localhost:30000/v1/classify":        {"", "http://localhost:30000/v1/classify"},
		"http://localhost:8000/pooling/":            {"", "http://localhost:8000/pooling"},
	} {
		e, err := New(Settings{URL: url, Model: "goat"}, nil)
		if err != nil || want[0] != "" && e.base != want[0] {
			t.Errorf("%s: base %v, error %v", url, e.base, err)
		}
		r, err := NewReward(RewardSettings{URL: url, Model: "goat"}, nil)
		if err != nil || want[1] != "" && r.url != want[1] {
			t.Errorf("%s: rewards at %v, error %v", url, r.url, err)
		}
	}
}

// TestBadSettings checks that an error names the setting, and never repeats what may be a
// key.
func TestBadSettings(t *testing.T) {
	t.Setenv("HERD_TEST_KEY", secret)
	t.Setenv("HERD_TEST_BROKEN", "two words "+secret)
	const host = "http://localhost:8000"
	for want, s := range map[string]Settings{
		"url is not set":                            {Model: "goat"},
		"url is not the address":                    {URL: "localhost:8000", Model: "goat"},
		"url is not the address of":                 {URL: "ftp://" + secret, Model: "goat"},
		"url is not the address of a":               {URL: "http://[::1", Model: "goat"},
		"has a user":                                {URL: "http://me:" + secret + "@localhost", Model: "goat"},
		"a query":                                   {URL: host + "?key=" + secret, Model: "goat"},
		"model is not set":                          {URL: host},
		"(never the key itself)":                    {URL: host, Model: "goat", KeyEnv: secret},
		"environment variable HERD_NONE is not set": {URL: host, Model: "goat", KeyEnv: "HERD_NONE"},
		"does not hold a key":                       {URL: host, Model: "goat", KeyEnv: "HERD_TEST_BROKEN"},
		"unencrypted":                               {URL: "http://example.org", Model: "goat", KeyEnv: "HERD_TEST_KEY"},
		`prompt is "tokens"`:                        {URL: host, Model: "goat", Prompt: "tokens"},
		"prompt is text, which needs a tokenizer":   {URL: host, Model: "goat", Prompt: Text},
		"seed_bits is 65":                           {URL: host, Model: "goat", SeedBits: 65},
		"n is -1":                                   {URL: host, Model: "goat", N: -1},
		"concurrency is -1":                         {URL: host, Model: "goat", Limits: Limits{Concurrency: -1}},
		"timeout is -1ns":                           {URL: host, Model: "goat", Limits: Limits{Timeout: -1}},
		"patience is -1ns":                          {URL: host, Model: "goat", Limits: Limits{Patience: -1}},
	} {
		_, err := New(s, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
	for _, s := range []Settings{
		{URL: "http://example.org", Model: "goat", KeyEnv: "HERD_TEST_KEY", AllowHTTP: true},
		{URL: "https://example.org", Model: "goat", KeyEnv: "HERD_TEST_KEY"},
		{URL: "http://127.0.0.1:8000", Model: "goat", KeyEnv: "HERD_TEST_KEY"},
		{URL: "http://[::1]:8000", Model: "goat", KeyEnv: "HERD_TEST_KEY"},
	} {
		if _, err := New(s, nil); err != nil {
			t.Errorf("%s: %v", s.URL, err)
		}
	}
}

// TestKey checks that the key goes to the server, and that nothing printable holds it.
func TestKey(t *testing.T) {
	s := newScript(t, fine)
	e, _ := engineOf(t, s, nil)
	if _, err := generate(t.Context(), e, asking(7)); err != nil {
		t.Fatal(err)
	}
	if got := s.headers[0].Get("Authorization"); got != "Bearer "+secret {
		t.Errorf("the server got %q", got)
	}
	encoded, err := json.Marshal(e.settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(encoded), fmt.Sprintf("%v %+v %#v", e.settings, e, e), fmt.Sprintf("%+v %#v", *e.client, e.key)} {
		if strings.Contains(text, secret) {
			t.Errorf("the key is in %s", text)
		}
	}
}

// TestKeyInErrors checks errors of servers that send the key back in every way.
func TestKeyInErrors(t *testing.T) {
	steps := []http.HandlerFunc{
		says(400, "bad key "+secret),
		says(403, `{"error":{"message":"bad key `+secret+`"}}`),
		says(500, strings.Repeat("x", maxMessage-len(secret)/2)+secret),
		says(200, `{"error":"bad key `+secret+`"}`),
		says(200, `{"choices":[{"index":0,"text":"","finish_reason":"`+secret+`"}]}`),
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost:1/"+"?key="+secret, http.StatusTemporaryRedirect)
		},
	}
	for before := range 60 { // the place where shorten cuts
		steps = append(steps, says(200, `{"error":"`+strings.Repeat("x", maxMessage-before)+secret+`"}`))
	}
	for _, step := range steps {
		e, _ := engineOf(t, newScript(t, step), nil)
		_, err := generate(t.Context(), e, asking(7))
		if err == nil || strings.Contains(err.Error(), secret[:4]) {
			t.Errorf("error %v", err)
		}
	}
}

// TestRedirects checks that herd follows redirects only to the same server, with the same
// request.
func TestRedirects(t *testing.T) {
	elsewhere := newScript(t, fine)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newScript(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.Path, status)
		})
		e, _ := engineOf(t, s, nil)
		_, err := generate(t.Context(), e, asking(7))
		if err == nil || !strings.Contains(err.Error(), "redirects to "+elsewhere.URL+"/v1/completions") || len(s.bodies) != 1 {
			t.Errorf("%d elsewhere: error %v", status, err)
		}
		s = newScript(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/", status)
		}, fine)
		e, _ = engineOf(t, s, nil)
		_, err = generate(t.Context(), e, asking(7))
		if followed := status == 307 || status == 308; followed != (err == nil) {
			t.Errorf("%d at home: error %v", status, err)
		} else if followed && (s.bodies[1] != s.bodies[0] || s.headers[1].Get("Authorization") == "") {
			t.Errorf("%d at home: another request followed", status)
		}
	}
	if len(elsewhere.bodies) > 0 {
		t.Errorf("a prompt went elsewhere, with the header %v", elsewhere.headers[0])
	}
	loop := newScript(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	e, _ := engineOf(t, loop, nil)
	if _, err := generate(t.Context(), e, asking(7)); err == nil || len(loop.bodies) > 5 {
		t.Errorf("a loop of redirects: %d requests, error %v", len(loop.bodies), err)
	}
}

// TestLongAnswer checks that herd stops reading a very long answer.
func TestLongAnswer(t *testing.T) {
	noLeak(t)
	s := newScript(t, func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 1<<20)
		for err := error(nil); err == nil; {
			_, err = w.Write(block)
		}
	})
	e, _ := engineOf(t, s, nil)
	e.most = 1 << 16
	_, err := generate(t.Context(), e, asking(7))
	if err == nil || !strings.Contains(err.Error(), "longer than 65536 bytes") || len(s.bodies) != 1 {
		t.Errorf("%d requests, error %v", len(s.bodies), err)
	}
}
