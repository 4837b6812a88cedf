package serve

import (
	"fmt"
	"log/slog"
	"time"
)

// Settings bound what clients can ask of a server.
type Settings struct {
	Slots int // answers that each model draws at once; more wait in its queue
	Queue int // requests that may wait for each model; the server refuses more

	BodyBytes    int64         // longest body of a request, in bytes
	PromptTokens int           // longest prompt, in tokens; 0: the model's context
	AnswerTokens int           // longest answer, in tokens; 0: the model's context
	Choices      int           // most answers to one request: its prompts times n
	Timeout      time.Duration // for a request, from its body to the end of its answer
	Patience     time.Duration // for a client to send its body, and to read each write
	Backlog      int           // deltas of a stream that a client may be behind
	Grace        time.Duration // for requests in progress when the server stops

	Key     string       // that clients must send; "": none
	Origins []string     // of foreign pages that may send requests; "*": all
	Log     *slog.Logger // gets a line for each request; nil: no log
}

// Defaults returns settings for one machine.
func Defaults() Settings {
	return Settings{
		Slots: 64, Queue: 256,
		BodyBytes: 2 << 20, Choices: 128,
		Timeout: 10 * time.Minute, Patience: 30 * time.Second, Backlog: 4096, Grace: 30 * time.Second,
		Log: slog.New(slog.DiscardHandler),
	}
}

// Validate returns an error that names the first invalid setting.
func (s Settings) Validate() error {
	for _, c := range []struct {
		name        string
		value, from int64
	}{
		{"slots", int64(s.Slots), 1}, {"queue", int64(s.Queue), 0},
		{"body bytes", s.BodyBytes, 1}, {"prompt tokens", int64(s.PromptTokens), 0},
		{"answer tokens", int64(s.AnswerTokens), 0}, {"choices", int64(s.Choices), 1},
		{"timeout", int64(s.Timeout), 1}, {"patience", int64(s.Patience), 1},
		{"backlog", int64(s.Backlog), 1}, {"grace", int64(s.Grace), 0},
	} {
		if c.value < c.from {
			return fmt.Errorf("%s is %d, expected at least %d", c.name, c.value, c.from)
		}
	}
	return nil
}
