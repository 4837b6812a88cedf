package tokenizer

import (
	"fmt"

	"github.com/herd-lm/herd/core/token"
)

// Placed is text as tokens that know their places in it.
type Placed struct {
	IDs  []token.ID
	Ends []int // the byte behind each token
}

// EncodePlaced is EncodeWithSpecial where an added token stands for itself only
// where allowed says so of the bytes [start, end) that hold its name. Elsewhere
// its name is ordinary text. No token spans a cut, which is a place in text; cuts
// are in order.
func (t *Tokenizer) EncodePlaced(text string, allowed func(start, end int, id token.ID) bool, cuts ...int) (p Placed, err error) {
	for done := 0; ; {
		start, found := t.added.find(text[done:], func(start int, a *Added) bool {
			return allowed(done+start, done+start+len(a.Text), a.ID)
		})
		if found == nil {
			return p, t.place(&p, text[done:], done, cuts)
		}
		if err := t.place(&p, text[done:done+start], done, cuts); err != nil {
			return p, err
		}
		done += start + len(found.Text)
		p.IDs, p.Ends = append(p.IDs, found.ID), append(p.Ends, done)
	}
}

// place appends the tokens of text, which begins at start.
func (t *Tokenizer) place(p *Placed, text string, start int, cuts []int) error {
	first, done := len(p.IDs), 0
	for _, cut := range cuts {
		if at := cut - start; at > done && at < len(text) {
			p.IDs = t.appendText(p.IDs, text[done:at])
			done = at
		}
	}
	p.IDs = t.appendText(p.IDs, text[done:])
	end := start
	for _, id := range p.IDs[first:] {
		end += len(t.Token(id))
		p.Ends = append(p.Ends, end)
	}
	if end != start+len(text) {
		return fmt.Errorf("the tokens of %.60q have %d bytes, the text %d: which of them belong to what cannot be told", text, end-start, len(text))
	}
	return nil
}
