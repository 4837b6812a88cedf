package serve

import (
	"fmt"
	"log/slog"
	"time"
)

// Settings bound what clients can ask of a server.
type Settings struct {
	Slots int // answers of a model that are drawn at once; more wait in its queue
	Queue int // requests that may wait for a model; more are refused

	BodyBytes    int64         // longest body of a request
	PromptTokens int           // longest prompt; 0: the model's context
	AnswerTokens int           // longest answer; 0: the model's context
	Choices      int           // most answers of one request: its prompts times n
	Timeout      time.Duration // for a request, from its body to the end of its answer
	Patience     time.Duration // for a client to send its body, and to read what is sent
	Backlog      int           // pieces of a stream that a client may be behind
	Grace        time.Duration // for what is being answered when the server is stopped

	Key     string       // that clients must show; "": none
	Origins []string     // of pages elsewhere that may ask; "*": all
	Log     *slog.Logger // gets a line for each request; nil: nobody does
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

// Validate reports the first setting that makes no sense.
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
