package token

import (
	"strings"
	"testing"
)

// pair is a prompt of two tokens with two responses of two.
func pair() *Batch {
	return &Batch{
		IDs: []ID{1, 2, 3, 4, 5, 6}, Pos: []int32{0, 1, 2, 3, 2, 3},
		Segments: []Segment{{0, 2, -1}, {2, 4, 0}, {4, 6, 0}},
		Read:     []int32{1, 2, 1, 4}, Target: []ID{3, 4, 5, 6}, Weight: []float32{1, 1, 0, 0},
		Sequences: 2, Seq: []int32{0, 0, 1, 1}, SeqWeight: []float32{1, 1, 1, 1},
		Reference: []float32{-1, -2}, Value: []int32{3, 5},
		Pairs: []Pair{{Chosen: 0, Rejected: 1, Weight: 1}},
		Norm:  1, Rows: []string{"row-7"},
	}
}

func TestValidate(t *testing.T) {
	if err := pair().Validate(8, 4); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(*Batch)
		want  string
	}{
		"no tokens":                {func(b *Batch) { b.IDs, b.Pos, b.Segments = nil, nil, nil }, "no tokens"},
		"positions missing":        {func(b *Batch) { b.Pos = b.Pos[1:] }, "5 positions for 6 tokens"},
		"token beyond vocabulary":  {func(b *Batch) { b.IDs[3] = 8 }, "token 3 is id 8"},
		"position beyond last":     {func(b *Batch) { b.Pos[3] = 4 }, "position 4"},
		"segment with a hole":      {func(b *Batch) { b.Segments[1].Start = 3 }, "segment 1"},
		"empty segment":            {func(b *Batch) { b.Segments[0].End = 0 }, "segment 0"},
		"parent of itself":         {func(b *Batch) { b.Segments[1].Parent = 1 }, "segment 1 has parent 1"},
		"tokens after the last":    {func(b *Batch) { b.Segments = b.Segments[:2] }, "segments end at 4 of 6"},
		"row beyond the batch":     {func(b *Batch) { b.Read[0] = 6 }, "readout 0 reads row 6"},
		"target beyond vocabulary": {func(b *Batch) { b.Target[2] = -1 }, "readout 2 has target -1"},
		"weights missing":          {func(b *Batch) { b.Weight = nil }, "0 weights"},
		"sequences missing":        {func(b *Batch) { b.Seq = nil }, "0 sequence indices"},
		"sequence beyond the last": {func(b *Batch) { b.Seq[3] = 2 }, "sequence 2 of 2"},
		"reference missing":        {func(b *Batch) { b.Reference = b.Reference[1:] }, "1 reference"},
		"value missing":            {func(b *Batch) { b.Value = b.Value[1:] }, "1 value"},
		"value beyond the batch":   {func(b *Batch) { b.Value[1] = 9 }, "row 9 of 6"},
		"pair beyond the last":     {func(b *Batch) { b.Pairs[0].Rejected = 2 }, "pair 0 compares"},
	} {
		b := pair()
		c.spoil(b)
		if err := b.Validate(8, 4); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "row-7") {
			t.Errorf("%s: error %v, want one that says %q and names row-7", name, err, c.want)
		}
	}
}

func TestSize(t *testing.T) {
	a, b := pair().Size(), Size{Tokens: 9, Reads: 1, Sequences: 2, Pairs: 0}
	if want := (Size{6, 4, 2, 1}); a != want {
		t.Fatalf("size %+v, want %+v", a, want)
	}
	m := a.Max(b)
	if want := (Size{9, 4, 2, 1}); m != want || !a.Fits(m) || !b.Fits(m) || m.Fits(a) {
		t.Errorf("the larger of %+v and %+v is %+v", a, b, m)
	}
}

// TestAttended: two tokens see themselves and what is before, 3 pairs in each
// segment; each response sees the prompt, 4 pairs; a follow-up to the second
// response, of 3 tokens, sees 6 pairs of its own and 3*4 with its ancestors.
func TestAttended(t *testing.T) {
	b := pair()
	if got := b.Attended(); got != 3*3+2*4 {
		t.Errorf("%d pairs, want %d", got, 3*3+2*4)
	}
	b.Segments = append(b.Segments, Segment{6, 9, 2})
	if got, want := b.Attended(), 17+6+3*(2+2); got != want {
		t.Errorf("%d pairs with a follow-up, want %d", got, want)
	}
}
