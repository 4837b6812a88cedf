package remote

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/token"
)

// answer is the JSON of both endpoints: texts, or messages of chats.
type answer struct {
	Choices []choice        `json:"choices"`
	Error   json.RawMessage `json:"error"` // some gateways send it with status 200
}

type choice struct {
	Index      int             `json:"index"`
	Text       *string         `json:"text"`
	Message    *message        `json:"message"`
	Finish     string          `json:"finish_reason"`
	StopReason json.RawMessage `json:"stop_reason"` // vLLM: the stop string, or token id
	LogProbs   *logProbs       `json:"logprobs"`
	TokenIDs   []token.ID      `json:"token_ids"` // vLLM's return_token_ids, with the token that ended the text
}

type message struct {
	Content *string `json:"content"`
}

// complete asks the server for the completions of some seeds of a request.
func (e *Engine) complete(ctx context.Context, r sample.Request, seeds []uint64) (out []sample.Completion, err error) {
	text, err := e.body(r, seeds)
	if err != nil {
		return nil, err
	}
	err = e.post(ctx, e.endpoint(r), text, func(text []byte) (err error) {
		out, err = e.read(text, r, seeds)
		return err
	})
	return out, err
}

// read returns the completions in an answer, in the order of seeds.
func (e *Engine) read(text []byte, r sample.Request, seeds []uint64) ([]sample.Completion, error) {
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("it is not a JSON object with completions: %w", err)
	}
	if said := messageOf(a.Error); said != "" {
		return nil, fmt.Errorf("it is an error: %s", said)
	}
	if len(a.Choices) != len(seeds) {
		return nil, wrongNumber(len(a.Choices), len(seeds))
	}
	out := make([]sample.Completion, len(seeds))
	seen := make([]bool, len(seeds))
	for _, c := range a.Choices {
		if c.Index < 0 || c.Index >= len(seeds) || seen[c.Index] {
			return nil, fmt.Errorf("it has choice %d twice, or more than %d choices", c.Index, len(seeds))
		}
		seen[c.Index] = true
		completion, err := e.completion(c, r)
		if err != nil {
			return nil, fmt.Errorf("choice %d: %w", c.Index, err)
		}
		completion.Seed = seeds[c.Index]
		out[c.Index] = completion
	}
	return out, nil
}

// wrongNumber returns the error of an answer with too few or too many choices.
func wrongNumber(have, want int) error {
	if have > 0 && want > 1 {
		return permanent("it has %d choices, expected %d: the server ignores n: leave n at 1", have, want)
	}
	return fmt.Errorf("it has %d choices, expected %d", have, want)
}

// completion reads one choice.
func (e *Engine) completion(c choice, r sample.Request) (out sample.Completion, err error) {
	if out.Finish, err = finish(c.Finish); err != nil {
		return out, err
	}
	if out.Text, err = c.text(); err != nil {
		return out, err
	}
	d, err := c.drawn()
	if err != nil {
		return out, err
	}
	if end := d.stop(r.Stop); end >= 0 && e.cuts(r) && (end < len(d)-1 || out.Finish == sample.Length) {
		// The server ignores stop_token_ids.
		d, out.Finish = d[:end+1], sample.Stop
		out.Text = continuation(e.tok, r.Prompt, d[:end].ids())
	}
	out.LogProb = d.sum()
	if out.Finish == sample.Stop && c.endedBy(d, r.Stop, e.tok) {
		d = d[:len(d)-1]
	}
	out.IDs = d.ids()
	if r.Detail {
		out.Tokens = d.tokens(r.Top)
	}
	return out, nil
}

// cuts reports whether the engine may cut a completion at a stop token. In a chat the
// server ends the turn, and its tokens may differ from ours.
func (e *Engine) cuts(r sample.Request) bool { return e.tok != nil && e.form(r) != Chat }

// text returns the text of a choice. A chat message may have none.
func (c choice) text() (string, error) {
	switch {
	case c.Text != nil:
		return *c.Text, nil
	case c.Message == nil:
		return "", fmt.Errorf("it has neither text nor message")
	case c.Message.Content == nil:
		return "", nil
	}
	return *c.Message.Content, nil
}

// finish maps a server's finish reason. An answer that a filter cut did not end by
// itself, like one that reached its greatest length.
func finish(reason string) (string, error) {
	switch reason {
	case "stop":
		return sample.Stop, nil
	case "length", "content_filter":
		return sample.Length, nil
	case "", "abort", "error":
		return "", fmt.Errorf("the answer is not finished: finish_reason is %q", reason)
	}
	return "", permanent("finish_reason is %q, expected stop or length: switch off tool parsing in the server", reason)
}
