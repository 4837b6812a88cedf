package remote

import (
	"cmp"
	"fmt"
	"time"
)

// Settings describe a server to sample from.
type Settings struct {
	URL       string `yaml:"url"`                              // base URL of the server, with or without /v1
	Model     string `yaml:"model"`                            // name of the model on the server
	KeyEnv    string `yaml:"key_env" json:",omitempty"`        // environment variable that holds the key; empty: no key
	AllowHTTP bool   `yaml:"allow_http_key" json:",omitempty"` // send the key unencrypted to another machine
	Prompt    Prompt `yaml:"prompt" json:",omitempty"`         // form of prompts: ids, text or chat; empty: ids if a request has them, otherwise chat
	Standard  bool   `yaml:"standard" json:",omitempty"`       // send only fields of OpenAI's API, for servers that refuse others
	NoLogProb bool   `yaml:"no_logprobs" json:",omitempty"`    // do not ask for log-probabilities, for servers that refuse
	N         int    `yaml:"n" json:",omitempty"`              // number of samples per request; herd sends only the first one's seed; 0: 1
	SeedBits  int    `yaml:"seed_bits" json:",omitempty"`      // number of bits of the seeds that herd sends, 1 to 64; 0: 31, which all servers accept
	Limits    `yaml:",inline"`
}

// Limits bound what a client does. They do not affect results.
type Limits struct {
	Concurrency int           `yaml:"concurrency" json:",omitempty"` // maximum number of simultaneous requests; 0: 16
	Timeout     time.Duration `yaml:"timeout" json:",omitempty"`     // maximum duration of one attempt; 0: 10 minutes
	Retries     int           `yaml:"retries" json:",omitempty"`     // number of attempts after the first; 0: 8; negative: none
	Patience    time.Duration `yaml:"patience" json:",omitempty"`    // time after which herd stops retrying; 0: 30 minutes
}

// Prompt is the form in which herd sends prompts.
type Prompt string

// The forms of prompts.
const (
	IDs  Prompt = "ids"  // token ids: exact, for servers that accept them (vLLM, SGLang, llama-server, herd)
	Text Prompt = "text" // text, which the server encodes: a message could forge a special token
	Chat Prompt = "chat" // messages, which the server lays out with its own template
)

// Validate returns an error that names the first invalid setting by its YAML key.
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

// withDefaults returns the limits with defaults for those that are not set.
func (l Limits) withDefaults() Limits {
	return Limits{
		Concurrency: cmp.Or(l.Concurrency, 16),
		Timeout:     cmp.Or(l.Timeout, 10*time.Minute),
		Retries:     max(0, cmp.Or(l.Retries, 8)),
		Patience:    cmp.Or(l.Patience, 30*time.Minute),
	}
}

// seed returns the seed to send: seed itself if it fits into SeedBits, otherwise its bits
// folded onto these.
func (s Settings) seed(seed uint64) uint64 {
	bits := cmp.Or(s.SeedBits, 31)
	folded := uint64(0)
	for ; seed != 0; seed >>= bits {
		folded ^= seed & (1<<bits - 1)
	}
	return folded
}
