package pack

import "github.com/herd-lm/herd/core/token"

// Batch packs the examples one after another into a batch, without padding.
func Batch(examples []Example) *token.Batch {
	b := &token.Batch{}
	for _, e := range examples {
		add(b, e)
	}
	if b.Sequences == 0 {
		b.Seq, b.SeqWeight = nil, nil
	}
	return b
}

func add(b *token.Batch, e Example) {
	first := int32(b.Sequences)
	if len(e.Responses) == 0 {
		addRun(b, e.Prompt, -1, 0, e.Prompt.leafTokens())
	} else {
		prompt := addRun(b, e.Prompt, -1, 0, len(e.Prompt.IDs))
		for _, r := range e.Responses {
			addRun(b, r, prompt, len(e.Prompt.IDs), r.leafTokens())
		}
	}
	for _, p := range e.Pairs {
		p.Chosen, p.Rejected = p.Chosen+first, p.Rejected+first
		b.Pairs = append(b.Pairs, p)
	}
	b.Norm += e.Norm
	b.Rows = append(b.Rows, e.Row)
}

// addRun appends the first n tokens of r as a segment with positions from pos on. It returns
// the segment's index, or parent if n is 0. All tokens of r can be targets, also those after
// the first n.
func addRun(b *token.Batch, r Run, parent int32, pos, n int) int32 {
	start := int32(len(b.IDs))
	for i, id := range r.IDs[:n] {
		b.IDs, b.Pos = append(b.IDs, id), append(b.Pos, int32(pos+i))
	}
	before := int32(-1) // the row that predicts the next token
	if parent >= 0 {
		before = b.Segments[parent].End - 1
	}
	last := before
	if n > 0 {
		last = start + int32(n) - 1
	}
	seq := addSequence(b, r, last)
	for i, id := range r.IDs {
		if before >= 0 && r.read(i) {
			addRead(b, before, id, seq, at(r.Weight, i), at(r.SeqWeight, i))
		}
		before = start + int32(i)
	}
	if n == 0 {
		return parent
	}
	b.Segments = append(b.Segments, token.Segment{Start: start, End: start + int32(n), Parent: parent})
	return int32(len(b.Segments) - 1)
}

// addSequence adds r to the sequences of b if it is one, and returns its index or -1. The value
// head reads row last, which is the prompt's if r is empty. Either all sequences of a batch
// have values or none has.
func addSequence(b *token.Batch, r Run, last int32) int32 {
	if !r.sequence() {
		return -1
	}
	if r.Value {
		b.Value = append(b.Value, last)
	}
	b.Reference = append(b.Reference, float32(r.Reference))
	b.Sequences++
	return int32(b.Sequences - 1)
}

func addRead(b *token.Batch, row int32, target token.ID, seq int32, weight, seqWeight float32) {
	b.Read, b.Target = append(b.Read, row), append(b.Target, target)
	b.Weight = append(b.Weight, weight)
	b.Seq, b.SeqWeight = append(b.Seq, seq), append(b.SeqWeight, seqWeight)
}

func at(weights []float32, i int) float32 {
	if weights == nil {
		return 0
	}
	return weights[i]
}
