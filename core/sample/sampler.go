package sample

import (
	"context"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// Why a completion ended.
const (
	Stop   = "stop"   // a stop token or a stop string came
	Length = "length" // MaxTokens or the model's last position was reached
)

// Request asks for continuations of one prompt, one for each seed.
type Request struct {
	Prompt []token.ID
	Seeds  []uint64
	Stop   []token.ID // any of these ends a completion and is not part of it

	// Messages is what Prompt was laid out from, if it was a chat: for servers that
	// lay it out themselves. The Engine does not look at it.
	Messages []chat.Message

	// Continues says that a completion's text goes on from the prompt's: a blank that
	// SentencePiece puts in front of a text is then part of it.
	Continues bool

	Detail bool // say what each token's log-probability was: Completion.Tokens
	Top    int  // with Detail: and this many of the likeliest tokens at its place

	// Stream, if not nil, is told of the completion of Seeds[k] as it grows, by one
	// call at a time for each k. It must not wait: everything else would.
	Stream func(k int, d Delta)

	Settings
}

// Completion is one continuation.
type Completion struct {
	IDs     []token.ID // what was drawn; a remote server may not tell
	Text    string     // of IDs, cut before the stop string if one came; bytes that are no UTF-8 stay
	LogProb float64    // of IDs, and the stop token if one came, at temperature 1; NaN if a server does not tell
	Finish  string     // Stop or Length
	Seed    uint64
	Tokens  []Token // of IDs, if Request.Detail
}

// Token is a token that was drawn, and what else it might have been. Log-probabilities
// are the model's own: at temperature 1, without penalties or truncation.
type Token struct {
	ID      token.ID
	LogProb float64
	Top     []Alternative // the likeliest first, equal ones by id
}

// Alternative is a token that could have been drawn.
type Alternative struct {
	ID      token.ID
	LogProb float64
}

// Delta is what a completion grew by.
type Delta struct {
	Text   string  // whole characters that are certain not to belong to a stop string
	Tokens []Token // those drawn since the last call; without Detail only their ids
	Finish string  // Stop or Length in the last call, else empty
}

// Sampler answers requests: the local Engine, or a remote server.
type Sampler interface {
	// Generate calls done with the index of each request and its completions
	// in the order of its seeds, as requests finish, by one call at a time. What a
	// request gives depends on nothing but the request. An error of done, or the end of
	// ctx, ends the work.
	Generate(ctx context.Context, requests []Request, done func(i int, c []Completion) error) error
}
