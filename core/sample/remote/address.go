package remote

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// address is where a server is and what it is asked for.
type address struct {
	url, model, keyEnv string
	allowHTTP          bool
}

var (
	version  = regexp.MustCompile(`^v\d`)
	variable = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

// parse returns the URL. No error shows what might be a key that went to the wrong
// place.
func (a address) parse() (*url.URL, error) {
	u, err := url.Parse(a.url)
	switch {
	case a.url == "":
		return nil, fmt.Errorf("url is not set: the server's address, such as http://localhost:8000/v1")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("url is no address of a server: expected one such as http://localhost:8000/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("url of %s has a user, a query or a fragment, where keys are seen by everyone: a key comes from the environment, by key_env", u.Host)
	case a.model == "":
		return nil, fmt.Errorf("model is not set: the name by which %s knows it, one of those at /v1/models", u.Host)
	case a.keyEnv != "" && !variable.MatchString(a.keyEnv):
		return nil, fmt.Errorf("key_env is not the name of an environment variable: capitals, digits and _ (and never the key itself)")
	case a.keyEnv != "" && u.Scheme == "http" && !local(u) && !a.allowHTTP:
		return nil, fmt.Errorf("the key of %s would go to %s unencrypted: use https, or allow_http_key: true if the network is yours", a.keyEnv, u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// local reports whether a URL is of this machine.
func local(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// ofCompletions returns the URL that /completions is appended to: with /v1 where no
// version is in its path, and without an endpoint that was copied along.
func ofCompletions(u *url.URL) *url.URL {
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/completions"), "/chat")
	for part := range strings.SplitSeq(u.Path, "/") {
		if version.MatchString(part) {
			return u
		}
	}
	return u.JoinPath("v1")
}

// ofRewards returns the URL of an endpoint of vLLM's, which stand beside /v1. One
// that is there already is left as it is: SGLang has /v1/classify.
func ofRewards(u *url.URL, endpoint string) *url.URL {
	if strings.HasSuffix(u.Path, "/classify") || strings.HasSuffix(u.Path, "/pooling") {
		return u
	}
	u.Path = strings.TrimSuffix(u.Path, "/v1")
	return u.JoinPath(endpoint)
}

// key is read once and held where no formatting of a struct prints it.
type key struct {
	authorize func(*http.Request)
	redact    func(string) string
}

// readKey takes the key from the environment.
func readKey(name string) (key, error) {
	if name == "" {
		return key{func(*http.Request) {}, func(s string) string { return s }}, nil
	}
	value := strings.TrimSpace(os.Getenv(name))
	if value == "" {
		return key{}, fmt.Errorf("the environment has no %s: set it to the server's key, or leave key_env out", name)
	}
	for _, r := range value {
		if r <= ' ' || r > '~' {
			return key{}, fmt.Errorf("%s in the environment holds what no key can: a blank, or what is not ASCII", name)
		}
	}
	return key{
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+value) },
		func(s string) string { return strings.ReplaceAll(s, value, "["+name+"]") },
	}, nil
}
