package template

import "github.com/herd-lm/herd/core/token"

// Kind is the purpose of a token in a chat.
type Kind uint8

const (
	Header    Kind = iota // written by the template: beginning of text, headers that name roles
	Content               // the content of a message
	EndOfTurn             // ends the assistant's turns, and turns of others where the template uses it there too
)

// Rendered is a chat, or a part of one, as tokens. All slices have one entry for each token.
type Rendered struct {
	IDs  []token.ID
	Kind []Kind
	Turn []int32 // index of the message, -1 before the first
	Own  []bool  // whether the assistant wrote it: content and end of turn of its messages, not the headers
}

func (r Rendered) slice(from, to int) Rendered {
	return Rendered{r.IDs[from:to:to], r.Kind[from:to:to], r.Turn[from:to:to], r.Own[from:to:to]}
}
