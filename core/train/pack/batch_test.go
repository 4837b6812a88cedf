package pack_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// reading is one prediction: the prefix, the target and the weights.
type reading struct {
	Prefix            []token.ID
	Target            token.ID
	Weight, SeqWeight float32
	Seq               int32
}

// sequence is the content of a batch for one of its sequences.
type sequence struct {
	Reference float32
	Value     []token.ID // what the row has seen that the value head reads
}

// meaning is the content of a batch without its layout.
type meaning struct {
	Readings  []reading
	Sequences []sequence
	Pairs     []token.Pair
	Norm      float64
	Rows      []string
}

// means returns what the examples ask for, one row at a time.
func means(examples []pack.Example) meaning {
	var m meaning
	for _, e := range examples {
		first := int32(len(m.Sequences))
		m.run(nil, e.Prompt)
		for _, r := range e.Responses {
			m.run(e.Prompt.IDs, r)
		}
		for _, p := range e.Pairs {
			m.Pairs = append(m.Pairs, token.Pair{Chosen: first + p.Chosen, Rejected: first + p.Rejected, Weight: p.Weight, Margin: p.Margin})
		}
		m.Norm += e.Norm
		m.Rows = append(m.Rows, e.Row)
	}
	return m
}

func (m *meaning) run(before []token.ID, r pack.Run) {
	seq := int32(-1)
	if r.Value || r.SeqWeight != nil {
		seq = int32(len(m.Sequences))
		s := sequence{Reference: float32(r.Reference)}
		if r.Value {
			s.Value = slices.Concat(before, r.IDs)
		}
		m.Sequences = append(m.Sequences, s)
	}
	for i, id := range r.IDs {
		prefix := slices.Concat(before, r.IDs[:i])
		x := reading{Prefix: prefix, Target: id, Seq: seq}
		if r.Weight != nil {
			x.Weight = r.Weight[i]
		}
		if r.SeqWeight != nil {
			x.SeqWeight = r.SeqWeight[i]
		}
		if len(prefix) > 0 && (x.Weight != 0 || x.SeqWeight != 0) {
			m.Readings = append(m.Readings, x)
		}
	}
}

// understand reads the content of a batch from its segments.
func understand(b *token.Batch) meaning {
	m := meaning{Pairs: b.Pairs, Norm: b.Norm, Rows: b.Rows}
	for r, row := range b.Read {
		x := reading{Prefix: text(b, row), Target: b.Target[r], Weight: b.Weight[r], Seq: -1}
		if b.Sequences > 0 {
			x.Seq, x.SeqWeight = b.Seq[r], b.SeqWeight[r]
		}
		m.Readings = append(m.Readings, x)
	}
	for s := range b.Sequences {
		x := sequence{Reference: b.Reference[s]}
		if b.Value != nil {
			x.Value = text(b, b.Value[s])
		}
		m.Sequences = append(m.Sequences, x)
	}
	return m
}

// check compares a batch with the examples that it was made from.
func check(b *token.Batch, examples []pack.Example) error {
	if err := b.Validate(vocab, vocab); err != nil {
		return err
	}
	for row := range b.IDs {
		if want := len(visible(b, int32(row))) - 1; int(b.Pos[row]) != want {
			return fmt.Errorf("row %d is at position %d, %d rows come before it", row, b.Pos[row], want)
		}
	}
	if diff := cmp.Diff(means(examples), understand(b)); diff != "" {
		return fmt.Errorf("the batch does not say what the examples do (-want +got):\n%s", diff)
	}
	var want token.Size
	for _, e := range examples {
		want.Tokens, want.Reads = want.Tokens+e.Tokens(), want.Reads+e.Targets()
		want.Sequences, want.Pairs = want.Sequences+e.Sequences(), want.Pairs+len(e.Pairs)
	}
	if got := b.Size(); got != want {
		return fmt.Errorf("the batch has size %+v, the examples say %+v", got, want)
	}
	return nil
}

func TestBatch(t *testing.T) {
	s := newSource(1)
	for i := range 300 {
		examples := s.examples(1+s.IntN(5), i%2 == 1)
		b := pack.Batch(examples)
		if len(b.IDs) == 0 {
			continue // prompts of one token and nothing else
		}
		if err := check(b, examples); err != nil {
			t.Fatalf("batch %d of %+v: %v", i, examples, err)
		}
	}
}

// TestBatchPlanted breaks each field of a batch in turn: check must notice.
func TestBatchPlanted(t *testing.T) {
	for name, spoil := range map[string]func(b *token.Batch){
		"id":         func(b *token.Batch) { b.IDs[0]++ },
		"position":   func(b *token.Batch) { b.Pos[4]++ },
		"parent":     func(b *token.Batch) { b.Segments[2].Parent = 1 },
		"border":     func(b *token.Batch) { b.Segments[1].End--; b.Segments[2].Start-- },
		"read":       func(b *token.Batch) { b.Read[3]-- },
		"target":     func(b *token.Batch) { b.Target[0]++ },
		"weight":     func(b *token.Batch) { b.Weight[0]++ },
		"seq":        func(b *token.Batch) { b.Seq[2] = 1 - b.Seq[2] },
		"seq weight": func(b *token.Batch) { b.SeqWeight[2]++ },
		"reference":  func(b *token.Batch) { b.Reference[1]++ },
		"pair":       func(b *token.Batch) { b.Pairs[1].Chosen -= 2 },
		"norm":       func(b *token.Batch) { b.Norm++ },
		"rows":       func(b *token.Batch) { b.Rows[0] = "another" },
	} {
		s := newSource(2)
		ones := []float32{1, 1, 1}
		var examples []pack.Example
		for range 2 {
			examples = append(examples, pack.Example{
				Prompt:    pack.Run{IDs: s.tokens(3), Weight: ones},
				Responses: []pack.Run{{IDs: s.tokens(3), SeqWeight: ones}, {IDs: s.tokens(3), SeqWeight: ones, Weight: ones}},
				Pairs:     []token.Pair{{Chosen: 1, Rejected: 0, Weight: 1}},
			})
		}
		b := pack.Batch(examples)
		if err := check(b, examples); err != nil {
			t.Fatal(err)
		}
		if spoil(b); check(b, examples) == nil {
			t.Errorf("planted: a wrong %s passes", name)
		}
	}
}

// TestBatchEdges tests rows that are easy to get wrong, each after a row with which they could
// be confused.
func TestBatchEdges(t *testing.T) {
	one := []float32{1}
	for name, e := range map[string]pack.Example{
		"nothing":                        {},
		"a prompt of one token":          {Prompt: pack.Run{IDs: []token.ID{9}, Weight: one}},
		"a prompt without a response":    {Prompt: pack.Run{IDs: []token.ID{9, 8}, Weight: []float32{0, 1}}},
		"a value without a prediction":   {Prompt: pack.Run{IDs: []token.ID{9}, Value: true}},
		"a response of one token":        {Prompt: pack.Run{IDs: []token.ID{9}}, Responses: []pack.Run{{IDs: []token.ID{8}, SeqWeight: one}}},
		"a valued response of one token": {Prompt: pack.Run{IDs: []token.ID{9}}, Responses: []pack.Run{{IDs: []token.ID{8}, Value: true}}},
		"an empty response":              {Prompt: pack.Run{IDs: []token.ID{9}}, Responses: []pack.Run{{SeqWeight: []float32{}}, {IDs: []token.ID{8}, SeqWeight: one}}},
		"an empty valued response":       {Prompt: pack.Run{IDs: []token.ID{9}}, Responses: []pack.Run{{Value: true}, {IDs: []token.ID{8}, Value: true}}},
		"a response without a prompt":    {Responses: []pack.Run{{IDs: []token.ID{8, 7, 6}, SeqWeight: []float32{1, 1, 1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := pack.Text("before", []token.ID{1, 2, 3, 4})
			examples := []pack.Example{before, e, before}
			if err := check(pack.Batch(examples), examples); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestText: the batch predicts every token after the first once, from all tokens before it.
func TestText(t *testing.T) {
	for n := range 5 {
		ids := newSource(3).tokens(n)
		e := pack.Text("row", ids)
		want := max(0, n-1)
		if e.Targets() != want || e.Norm != float64(want) || e.Tokens() != want {
			t.Errorf("a text of %d tokens has %d targets, norm %g and takes %d tokens", n, e.Targets(), e.Norm, e.Tokens())
		}
		b := pack.Batch([]pack.Example{e})
		if n > 1 && (!slices.Equal(b.Target, ids[1:]) || !slices.Equal(b.IDs, ids[:n-1])) {
			t.Errorf("%v: inputs %v, targets %v", ids, b.IDs, b.Target)
		}
	}
}
