package sample

import (
	"context"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
)

// Sampler answers requests: a local engine or a remote server.
type Sampler interface {
	// Generate calls done with the index of each request and its completions, in the
	// order of the request's seeds. It calls done as requests finish, one call at a time.
	// The completions of a request depend only on the request. An error from done, or
	// the end of ctx, stops Generate.
	Generate(ctx context.Context, requests []Request, done func(i int, c []Completion) error) error
}

// Request asks for continuations of one prompt, one for each seed.
type Request struct {
	Prompt []token.ID
	Seeds  []uint64
	Stop   []token.ID // any of these tokens ends a completion, and is not part of it

	// Messages is the chat that Prompt was laid out from, if it was one. Servers that lay
	// chats out themselves get it; the local engine ignores it.
	Messages []chat.Message

	// Continues says that the text of a completion continues the text of the prompt. The
	// blank that SentencePiece puts before a text then belongs to the completion.
	Continues bool

	Detail bool // fill Completion.Tokens
	Top    int  // with Detail: also this many of the likeliest tokens at each place

	// PromptDetail asks for Completion.Prompt. The engine then computes the whole prompt,
	// whatever other requests have in common with it. A remote server refuses it.
	PromptDetail bool

	// Constraint limits what a completion may say; nil: nothing. It applies before temperature, top-k
	// and the like, which then choose among the tokens that it allows. A completion ends where the
	// constraint allows no more, without a stop token. A remote server refuses it.
	Constraint Constraint

	// Stream, if not nil, is called as the completion of Seeds[k] grows, by one goroutine
	// at a time for each k. It must not block: all other requests would wait.
	Stream func(k int, d Delta)

	Settings
}

// Reasons why a completion ended.
const (
	Stop   = "stop"   // a stop token or a stop string
	Length = "length" // MaxTokens, or the model's last position
)

// Completion is one continuation.
type Completion struct {
	IDs     []token.ID // the drawn tokens; nil if a remote server does not report them
	Text    string     // of IDs, cut before the first stop string; may hold invalid UTF-8
	LogProb float64    // of IDs and of the stop token, if any, at temperature 1; NaN if a server does not report it
	Finish  string     // Stop or Length
	Seed    uint64
	Tokens  []Token // of IDs, if Request.Detail
	Prompt  []Token // the prompt's tokens from the second on, each given those before it, if Request.PromptDetail
}

// Token is a drawn token with the likeliest alternatives. Log-probabilities are the
// model's own: at temperature 1, without penalties or truncation.
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
	Text   string  // whole characters that cannot belong to a stop string
	Tokens []Token // drawn since the last call; without Detail only their ids
	Finish string  // Stop or Length in the last call, otherwise empty
}

// Constraint limits the texts of completions, such as to JSON. It decides token by token, so that
// every completion that ends with Stop is whole. Package constrain makes constraints.
type Constraint interface {
	Begin() ConstraintState // before the first token
}

// ConstraintState is a constraint after some tokens. It does not change.
type ConstraintState interface {
	// Allowed returns the tokens that may follow, bit id%64 of word id/64, and whether the completion
	// may end here. Without tokens it must end. It returns an error if nothing is possible.
	Allowed() (tokens []uint64, ends bool, err error)
	Next(id token.ID) ConstraintState
}
