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

// address is a server, the model to ask it for, and the key to send.
type address struct {
	url, model, keyEnv string
	allowHTTP          bool
}

var (
	version  = regexp.MustCompile(`^v\d`)
	variable = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
)

// parse returns the URL. Its errors never repeat a value that may be a key in the wrong
// place.
func (a address) parse() (*url.URL, error) {
	u, err := url.Parse(a.url)
	switch {
	case a.url == "":
		return nil, fmt.Errorf("url is not set: set it to the server's address, such as http://localhost:8000/v1")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("url is not the address of a server: expected one such as http://localhost:8000/v1")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("url of %s has a user, a query or a fragment, which logs may show: put a key into the environment and name it in key_env", u.Host)
	case a.model == "":
		return nil, fmt.Errorf("model is not set: set it to a name that %s lists at /v1/models", u.Host)
	case a.keyEnv != "" && !variable.MatchString(a.keyEnv):
		return nil, fmt.Errorf("key_env is not the name of an environment variable: expected capitals, digits and _ (never the key itself)")
	case a.keyEnv != "" && u.Scheme == "http" && !local(u) && !a.allowHTTP:
		return nil, fmt.Errorf("the key in %s would go to %s unencrypted: use https, or set allow_http_key to true if you trust the network", a.keyEnv, u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// local reports whether a URL is on this machine.
func local(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// ofCompletions returns the URL to which /completions is appended. It adds /v1 if the path
// has no version, and removes an endpoint from the end of the path.
func ofCompletions(u *url.URL) *url.URL {
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/completions"), "/chat")
	for part := range strings.SplitSeq(u.Path, "/") {
		if version.MatchString(part) {
			return u
		}
	}
	return u.JoinPath("v1")
}

// ofRewards returns the URL of vLLM's endpoint for scores, which is beside /v1. It keeps
// a URL that names an endpoint: SGLang has /v1/classify.
func ofRewards(u *url.URL, endpoint string) *url.URL {
	if strings.HasSuffix(u.Path, "/classify") || strings.HasSuffix(u.Path, "/pooling") {
		return u
	}
	u.Path = strings.TrimSuffix(u.Path, "/v1")
	return u.JoinPath(endpoint)
}

// key holds an API key in closures, so that formatting a struct never prints it.
type key struct {
	authorize func(*http.Request)
	redact    func(string) string
}

// readKey reads the key from the environment.
func readKey(name string) (key, error) {
	if name == "" {
		return key{func(*http.Request) {}, func(s string) string { return s }}, nil
	}
	value := strings.TrimSpace(os.Getenv(name))
	if value == "" {
		return key{}, fmt.Errorf("the environment variable %s is not set: set it to the server's key, or leave key_env out", name)
	}
	for _, r := range value {
		if r <= ' ' || r > '~' {
			return key{}, fmt.Errorf("the environment variable %s does not hold a key: it has a blank or a character that is not ASCII", name)
		}
	}
	return key{
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+value) },
		func(s string) string { return strings.ReplaceAll(s, value, "["+name+"]") },
	}, nil
}
