package template

import (
	"github.com/herd-lm/herd/core/text/jinja"
	"github.com/herd-lm/herd/core/text/tokenizer"
)

// classify sets the kind, turn and owner of each token.
func (f *Format) classify(p tokenizer.Placed, text jinja.Text, turns []turn) Rendered {
	n := len(p.IDs)
	r := Rendered{IDs: p.IDs, Kind: make([]Kind, n), Turn: make([]int32, n), Own: make([]bool, n)}
	runs := text.Runs()
	start := 0
	for k, end := range p.Ends {
		r.Turn[k] = unknown
		if p.IDs[k] == f.stop {
			r.Kind[k] = EndOfTurn
		}
		if f.isReserved(p.IDs[k]) { // the template wrote it, even if it covers white space of a message
			start = end
			continue
		}
		for i := runAt(runs, start); i < len(runs) && (i == 0 || runs[i-1].End < end); i++ {
			if m, p := messageOf(runs[i].Mark.Origin); m >= 0 {
				r.Turn[k] = int32(m)
				if p.isSaid() {
					r.Kind[k] = Content
				}
			}
		}
		start = end
	}
	for _, t := range turns {
		ended, thought := false, thoughtEnd(text, t)
		for k := t.first; k < t.last; k++ {
			ended = ended || r.Kind[k] == EndOfTurn
			r.Own[k], r.Turn[k], r.Kind[k] = true, int32(t.message), Content
			switch {
			case ended:
				r.Kind[k] = EndOfTurn
			case p.Ends[k] <= thought:
				r.Kind[k], r.Own[k] = Thought, f.reasoning != MaskReasoning
			}
		}
	}
	f.attribute(r)
	return r
}

// unknown is the turn of tokens between messages until attribute assigns them.
const unknown = -2

// attribute assigns each token that the template wrote to a message: tokens up to an end of
// turn to the message before, other tokens to the message that follows.
func (f *Format) attribute(r Rendered) {
	previous := int32(-1)
	for from := 0; from < len(r.Turn); from++ {
		if r.Turn[from] != unknown {
			previous = r.Turn[from]
			continue
		}
		to := from
		for to < len(r.Turn) && r.Turn[to] == unknown {
			to++
		}
		cut := f.ending(r, from, to, previous)
		next := previous
		if to < len(r.Turn) {
			next = r.Turn[to]
		}
		for k := from; k < to; k++ {
			if r.Turn[k] = next; k < cut {
				r.Turn[k] = previous
			}
		}
		from = to - 1
	}
}

// ending returns the end of the tokens in [from, to) that belong to the message before, which
// is behind its end of turn. Before the first message it is behind the beginning of text, or
// behind the last end of turn.
func (f *Format) ending(r Rendered, from, to int, previous int32) int {
	cut := from
	if from == 0 && r.IDs[0] == f.tok.BOS() {
		cut = 1
	}
	for k := from; k < to; k++ {
		if r.Kind[k] == EndOfTurn {
			cut = k + 1
			if previous >= 0 {
				break
			}
		}
	}
	return cut
}
