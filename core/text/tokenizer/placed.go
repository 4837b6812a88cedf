package tokenizer

import (
	"fmt"
	"slices"

	"github.com/herd-lm/herd/core/token"
)

// Placed holds the tokens of a text with their places in it.
type Placed struct {
	IDs  []token.ID
	Ends []int // offset in bytes of the end of each token
}

// EncodePlaced is EncodeWithSpecial with the places of the tokens. It recognises an added token
// only if allowed accepts the bytes [start, end) that the token covers; elsewhere its name is
// ordinary text. cuts are offsets in text, in ascending order: no token spans one. EncodePlaced
// returns an error if it cannot find the places of the tokens.
func (t *Tokenizer) EncodePlaced(text string, allowed func(start, end int, id token.ID) bool, cuts ...int) (p Placed, err error) {
	raw := func(start, end int, a *Added) bool { return allowed(start, end, a.ID) }
	for s := range t.added.raw.sections(text, raw) {
		if s.added != nil {
			p.add(s.added.ID, s.start+len(s.text))
			continue
		}
		if err := t.placeNormal(&p, aligned{text: s.text}.from(s.start), allowed, cuts); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (p *Placed) add(id token.ID, end int) {
	p.IDs, p.Ends = append(p.IDs, id), append(p.Ends, end)
}

// placeNormal appends the tokens of a section between added tokens that match raw text.
func (t *Tokenizer) placeNormal(p *Placed, raw aligned, allowed func(start, end int, id token.ID) bool, cuts []int) error {
	normal, err := t.normaliseAligned(raw)
	if err != nil {
		return err
	}
	wanted := func(start, end int, a *Added) bool { return allowed(normal.at[start], normal.at[end], a.ID) }
	for s := range t.added.normal.sections(normal.text, wanted) {
		part := normal.slice(s.start, s.start+len(s.text))
		if s.added != nil {
			p.add(s.added.ID, part.at[len(part.text)])
			continue
		}
		marked := t.mark(s.text, raw.at[0]+s.start == 0)
		if err := t.placeText(p, part.blanks(marked), cuts); err != nil {
			return err
		}
	}
	return nil
}

// placeText appends the tokens of text that has no added tokens.
func (t *Tokenizer) placeText(p *Placed, text aligned, cuts []int) error {
	first, end, done := len(p.IDs), 0, 0
	for _, cut := range cuts {
		if i, ok := slices.BinarySearch(text.at, cut); ok && i > done {
			p.IDs = t.appendText(p.IDs, text.text[done:i])
			done = i
		}
	}
	p.IDs = t.appendText(p.IDs, text.text[done:])
	for _, id := range p.IDs[first:] {
		if end += t.width(id); end > len(text.text) {
			break
		}
		p.Ends = append(p.Ends, text.at[end])
	}
	if err := t.CheckText(text.text); err != nil {
		return err
	}
	if end != len(text.text) {
		return fmt.Errorf("the tokens of %.60q have %d bytes, the text %d, so the places of the tokens are unknown", text.text, end, len(text.text))
	}
	return nil
}

// width returns the number of bytes of normalised text that a token covers.
func (t *Tokenizer) width(id token.ID) int {
	s, text := t.vocab.SentencePiece, t.vocab.Tokens[id]
	if s == nil {
		return len(t.shown[id])
	}
	if _, isByte := byteOf(text); isByte && s.ByteFallback {
		return 1
	}
	return len(text)
}
