package token

import "fmt"

// Segment is a run [Start, End) of a batch's tokens. A token attends causally
// within its segment and to every token of the segment's ancestors. Parent is
// the index of an earlier segment, or -1.
//
// One document is one segment without a parent. A prompt with two responses is
// three segments, the responses having the prompt as parent: the prompt is
// computed once, and the result equals two separate rows.
type Segment struct{ Start, End, Parent int32 }

// Pair says that one sequence of a batch is preferred to another.
type Pair struct {
	Chosen, Rejected int32   // sequence indices, in [0, Batch.Sequences)
	Weight           float32 // what the pair counts in the loss
	Margin           float32 // by how much chosen should win; 0 where the loss knows no margin
}

// Batch is one packed micro-batch: N tokens without padding, what to read out
// of the hidden states, and what the loss needs to know of each readout.
//
// A readout takes the hidden state of row Read[r] and asks for the
// log-probability of Target[r] there. Rows may be read more than once: the last
// token of a shared prompt predicts the first token of every response.
//
// Readouts may belong to a sequence (a response whose log-probability is
// wanted): Seq[r] is its index or -1, SeqWeight[r] what the readout counts in
// the sequence's sum, 0 for tokens that are masked.
type Batch struct {
	IDs      []ID      // [N]
	Pos      []int32   // [N] position within the token's own sequence, for RoPE
	Segments []Segment // partition of [0,N), in order

	Read   []int32   // [R] hidden rows read by the language-model head
	Target []ID      // [R] the token that each readout must predict
	Weight []float32 // [R] weight of each log-probability in the token loss

	Sequences int       // S
	Seq       []int32   // [R] sequence of each readout or -1; nil if S is 0
	SeqWeight []float32 // [R] weight in the sequence's log-probability; nil if S is 0
	Reference []float32 // [S] log-probability under the reference model, or nil
	Value     []int32   // [S] hidden row read by the value head, or nil
	Pairs     []Pair    // [P]

	// Norm is what the batch adds to the denominator of its optimiser step: the
	// step's loss is the sum of all weighted terms over the sum of all Norms.
	Norm float64

	// Rows names the data rows that were packed here, for error messages.
	Rows []string
}

// Size is the capacity that a graph is built for, or the extent of one batch.
type Size struct{ Tokens, Reads, Sequences, Pairs int }

// Size returns the extent of b.
func (b *Batch) Size() Size {
	return Size{len(b.IDs), len(b.Read), b.Sequences, len(b.Pairs)}
}

// Fits reports whether a batch of size s fits into capacity c.
func (s Size) Fits(c Size) bool {
	return s.Tokens <= c.Tokens && s.Reads <= c.Reads && s.Sequences <= c.Sequences && s.Pairs <= c.Pairs
}

// Max returns the smallest capacity that holds both s and t.
func (s Size) Max(t Size) Size {
	return Size{max(s.Tokens, t.Tokens), max(s.Reads, t.Reads), max(s.Sequences, t.Sequences), max(s.Pairs, t.Pairs)}
}

// Add returns the size of a batch of size s and one of size t, one after the other.
func (s Size) Add(t Size) Size {
	return Size{s.Tokens + t.Tokens, s.Reads + t.Reads, s.Sequences + t.Sequences, s.Pairs + t.Pairs}
}

// Attended returns how many pairs of a token and one that it attends to there are.
func (b *Batch) Attended() int {
	pairs := 0
	for _, s := range b.Segments {
		n := int(s.End - s.Start)
		pairs += n * (n + 1) / 2
		for p := s.Parent; p >= 0; p = b.Segments[p].Parent {
			pairs += n * int(b.Segments[p].End-b.Segments[p].Start)
		}
	}
	return pairs
}

// Validate reports the first inconsistency of b for a model with the given
// vocabulary and longest position: kernels trust what passes it.
func (b *Batch) Validate(vocab, maxPos int) error {
	for _, check := range []func() error{
		func() error { return b.validateTokens(vocab, maxPos) },
		b.validateSegments,
		func() error { return b.validateReads(vocab) },
		b.validateSequences,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("batch of rows %s: %w", b.rowNames(), err)
		}
	}
	return nil
}

func (b *Batch) validateTokens(vocab, maxPos int) error {
	if len(b.IDs) == 0 {
		return fmt.Errorf("no tokens")
	}
	if len(b.Pos) != len(b.IDs) {
		return fmt.Errorf("%d positions for %d tokens", len(b.Pos), len(b.IDs))
	}
	for i, id := range b.IDs {
		if id < 0 || int(id) >= vocab {
			return fmt.Errorf("token %d is id %d, outside the vocabulary of %d", i, id, vocab)
		}
		if p := b.Pos[i]; p < 0 || int(p) >= maxPos {
			return fmt.Errorf("token %d is at position %d, the model's last is %d", i, p, maxPos-1)
		}
	}
	return nil
}

func (b *Batch) validateSegments() error {
	var end int32
	for i, s := range b.Segments {
		if s.Start != end || s.End <= s.Start {
			return fmt.Errorf("segment %d is [%d,%d), expected to start at %d", i, s.Start, s.End, end)
		}
		if s.Parent < -1 || int(s.Parent) >= i {
			return fmt.Errorf("segment %d has parent %d, expected an earlier segment or -1", i, s.Parent)
		}
		end = s.End
	}
	if int(end) != len(b.IDs) {
		return fmt.Errorf("segments end at %d of %d tokens", end, len(b.IDs))
	}
	return nil
}

func (b *Batch) validateReads(vocab int) error {
	if len(b.Target) != len(b.Read) || len(b.Weight) != len(b.Read) {
		return fmt.Errorf("%d readouts, %d targets, %d weights", len(b.Read), len(b.Target), len(b.Weight))
	}
	for r, row := range b.Read {
		if row < 0 || int(row) >= len(b.IDs) {
			return fmt.Errorf("readout %d reads row %d of %d", r, row, len(b.IDs))
		}
		if t := b.Target[r]; t < 0 || int(t) >= vocab {
			return fmt.Errorf("readout %d has target %d, outside the vocabulary of %d", r, t, vocab)
		}
	}
	return nil
}

func (b *Batch) validateSequences() error {
	if b.Sequences > 0 && len(b.Read) > 0 && (len(b.Seq) != len(b.Read) || len(b.SeqWeight) != len(b.Read)) {
		return fmt.Errorf("%d readouts, %d sequence indices, %d sequence weights", len(b.Read), len(b.Seq), len(b.SeqWeight))
	}
	for r, s := range b.Seq {
		if s < -1 || int(s) >= b.Sequences {
			return fmt.Errorf("readout %d belongs to sequence %d of %d", r, s, b.Sequences)
		}
	}
	if b.Reference != nil && len(b.Reference) != b.Sequences {
		return fmt.Errorf("%d reference log-probabilities for %d sequences", len(b.Reference), b.Sequences)
	}
	if b.Value != nil && len(b.Value) != b.Sequences {
		return fmt.Errorf("%d value readouts for %d sequences", len(b.Value), b.Sequences)
	}
	for s, row := range b.Value {
		if row < 0 || int(row) >= len(b.IDs) {
			return fmt.Errorf("sequence %d reads its value at row %d of %d", s, row, len(b.IDs))
		}
	}
	for i, p := range b.Pairs {
		if p.Chosen < 0 || int(p.Chosen) >= b.Sequences || p.Rejected < 0 || int(p.Rejected) >= b.Sequences {
			return fmt.Errorf("pair %d compares sequences %d and %d of %d", i, p.Chosen, p.Rejected, b.Sequences)
		}
	}
	return nil
}

func (b *Batch) rowNames() string {
	const most = 4
	if len(b.Rows) <= most {
		return fmt.Sprint(b.Rows)
	}
	return fmt.Sprintf("%v and %d more", b.Rows[:most], len(b.Rows)-most)
}
