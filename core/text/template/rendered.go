package template

import "github.com/herd-lm/herd/core/token"

// Kind says what a token of a chat is there for.
type Kind uint8

const (
	Header    Kind = iota // what the template writes: beginning of text, headers that name roles
	Content               // what was said
	EndOfTurn             // what ends the assistant's turns, and those of others where the template has it there too
)

// Rendered is a chat, or a part of one, as tokens. All slices have one entry for
// each token.
type Rendered struct {
	IDs  []token.ID
	Kind []Kind
	Turn []int32 // index of the message, -1 before the first
	Own  []bool  // the assistant's own words: content and end of turn of its messages, not the headers
}

func (r Rendered) slice(from, to int) Rendered {
	return Rendered{r.IDs[from:to:to], r.Kind[from:to:to], r.Turn[from:to:to], r.Own[from:to:to]}
}
