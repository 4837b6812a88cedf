package tokenizer

import (
	"fmt"
	"strings"
)

// aligned is a text with its places in the text that it was made from: text[i:] begins at
// at[i] there, and the text ends at at[len(text)].
type aligned struct {
	text string
	at   []int
}

// from returns an unchanged text that begins at start.
func (a aligned) from(start int) aligned {
	a.at = make([]int, len(a.text)+1)
	for i := range a.at {
		a.at[i] = start + i
	}
	return a
}

func (a aligned) slice(from, to int) aligned { return aligned{a.text[from:to], a.at[from : to+1]} }

// normaliseAligned is normalise for an aligned text.
func (t *Tokenizer) normaliseAligned(a aligned) (aligned, error) {
	a, err := t.vocab.Form.applyAligned(a)
	if s := t.vocab.SentencePiece; s != nil {
		a = a.blanks(s.normalise(a.text))
	}
	return a, err
}

// blanks aligns text, which is a's text with or without one more ▁ in front, and with or
// without ▁ in place of blanks.
func (a aligned) blanks(text string) aligned {
	if text == a.text {
		return a
	}
	b := aligned{text, make([]int, 0, len(text)+1)}
	extra := len(text) - len(a.text) - strings.Count(a.text, " ")*(len(blank)-1)
	for range extra {
		b.at = append(b.at, a.at[0])
	}
	for i := range len(a.text) {
		n := 1
		if a.text[i] == ' ' {
			n = len(blank)
		}
		for range n {
			b.at = append(b.at, a.at[i])
		}
	}
	b.at = append(b.at, a.at[len(a.text)])
	return b
}

// applyAligned is apply for an aligned text. The result of characters that are normalised
// together begins where the first of them begins.
func (f Form) applyAligned(a aligned) (aligned, error) {
	normal := f.apply(a.text)
	if normal == a.text {
		return a, nil
	}
	b := aligned{at: make([]int, 0, len(normal)+1)}
	var text strings.Builder
	for i := 0; i < len(a.text); {
		n := norms[f].whole.NextBoundaryInString(a.text[i:], true)
		run := f.apply(a.text[i : i+n])
		text.WriteString(run)
		for j := range len(run) {
			at := a.at[i]
			if run == a.text[i:i+n] {
				at = a.at[i+j]
			}
			b.at = append(b.at, at)
		}
		i += n
	}
	b.text, b.at = text.String(), append(b.at, a.at[len(a.text)])
	if b.text != normal {
		return a, fmt.Errorf("cannot normalise %.60q part by part, so the places of its tokens are unknown", a.text)
	}
	return b, nil
}
