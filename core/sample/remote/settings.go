package remote

import (
	"cmp"
	"fmt"
	"time"
)

// Settings describe a server to sample from.
type Settings struct {
	URL       string `yaml:"url"`                              // with /v1 or without
	Model     string `yaml:"model"`                            // the name by which the server knows it
	KeyEnv    string `yaml:"key_env" json:",omitempty"`        // environment variable that holds the key; empty: none is sent
	AllowHTTP bool   `yaml:"allow_http_key" json:",omitempty"` // send the key unencrypted to another machine
	Prompt    Prompt `yaml:"prompt" json:",omitempty"`         // ids, text or chat; empty: ids where a request has them, else chat
	Standard  bool   `yaml:"standard" json:",omitempty"`       // send only what OpenAI's API has: for servers that refuse more
	NoLogProb bool   `yaml:"no_logprobs" json:",omitempty"`    // do not ask for log-probabilities: for servers that refuse
	N         int    `yaml:"n" json:",omitempty"`              // seeds in one request, of which the first is sent; 0: 1
	SeedBits  int    `yaml:"seed_bits" json:",omitempty"`      // of a seed are sent, 1 to 64; 0: 31, which all servers take
	Limits    `yaml:",inline"`
}

// Limits are what a client keeps to. They change nothing of what comes out.
type Limits struct {
	Concurrency int           `yaml:"concurrency" json:",omitempty"` // requests at once; 0: 16
	Timeout     time.Duration `yaml:"timeout" json:",omitempty"`     // of one attempt; 0: 10 minutes
	Retries     int           `yaml:"retries" json:",omitempty"`     // attempts after the first; 0: 8, negative: none
	Patience    time.Duration `yaml:"patience" json:",omitempty"`    // after which nothing is tried again; 0: 30 minutes
}

// Prompt is the form in which a server gets prompts.
type Prompt string

// The forms of prompts.
const (
	IDs  Prompt = "ids"  // token ids: exact, for servers that take them (vLLM, SGLang, llama-server, herd)
	Text Prompt = "text" // their text, for the server to encode: a message could forge a special token
	Chat Prompt = "chat" // the messages, for the server's own template
)

// Validate reports the first setting that makes no sense, by its YAML name.
func (s Settings) Validate() error {
	switch s.Prompt {
	case "", IDs, Text, Chat:
	default:
		return fmt.Errorf("prompt is %q, expected ids, text or chat", s.Prompt)
	}
	switch {
	case s.N < 0:
		return fmt.Errorf("n is %d, expected 1 or more", s.N)
	case s.SeedBits < 0 || s.SeedBits > 64:
		return fmt.Errorf("seed_bits is %d, expected 1 to 64", s.SeedBits)
	}
	_, err := s.address().parse()
	return cmp.Or(err, s.Limits.validate())
}

func (s Settings) address() address { return address{s.URL, s.Model, s.KeyEnv, s.AllowHTTP} }

func (l Limits) validate() error {
	switch {
	case l.Concurrency < 0:
		return fmt.Errorf("concurrency is %d, expected 1 or more", l.Concurrency)
	case l.Timeout < 0:
		return fmt.Errorf("timeout is %s, expected a positive duration", l.Timeout)
	case l.Patience < 0:
		return fmt.Errorf("patience is %s, expected a positive duration", l.Patience)
	}
	return nil
}

// withDefaults fills in what is not set.
func (l Limits) withDefaults() Limits {
	return Limits{
		Concurrency: cmp.Or(l.Concurrency, 16),
		Timeout:     cmp.Or(l.Timeout, 10*time.Minute),
		Retries:     max(0, cmp.Or(l.Retries, 8)),
		Patience:    cmp.Or(l.Patience, 30*time.Minute),
	}
}

// seed returns what is sent of a seed: itself where it fits, else its bits folded
// onto those that are sent.
func (s Settings) seed(seed uint64) uint64 {
	bits := cmp.Or(s.SeedBits, 31)
	folded := uint64(0)
	for ; seed != 0; seed >>= bits {
		folded ^= seed & (1<<bits - 1)
	}
	return folded
}
