package template

import "github.com/herd-lm/herd/core/token"

// Kind is the purpose of a token in a chat.
type Kind uint8

const (
	Header    Kind = iota // written by the template: beginning of text, headers that name roles
	Thought               // the reasoning of the assistant, with its marks
	Content               // the content of a message
	EndOfTurn             // ends the assistant's turns, and turns of others where the template uses it there too
)

// Rendered is a chat, or a part of one, as tokens. All slices have one entry for each token.
type Rendered struct {
	IDs  []token.ID
	Kind []Kind
	Turn []int32 // index of the message, -1 before the first
	Own  []bool  // whether the assistant wrote it: content and end of turn of its messages, not the headers

	Partly bool // whether the template left out text of the chat, which AllowDropped accepts
}

// split cuts the tokens before token cut.
func (r Rendered) split(cut int) (before, after Rendered) {
	n := len(r.IDs)
	before = Rendered{r.IDs[:cut:cut], r.Kind[:cut:cut], r.Turn[:cut:cut], r.Own[:cut:cut], r.Partly}
	after = Rendered{r.IDs[cut:n:n], r.Kind[cut:n:n], r.Turn[cut:n:n], r.Own[cut:n:n], r.Partly}
	return before, after
}

func (r Rendered) join(s Rendered) Rendered {
	return Rendered{append(r.IDs, s.IDs...), append(r.Kind, s.Kind...), append(r.Turn, s.Turn...), append(r.Own, s.Own...), r.Partly || s.Partly}
}
