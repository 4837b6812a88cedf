package pack_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// vocab exceeds the number of tokens of a test: every token has a unique id, so a prefix shows
// where it came from.
const vocab = 1 << 20

// source makes random examples.
type source struct {
	*rand.Rand
	ids  token.ID
	rows int
}

func newSource(seed uint64) *source { return &source{Rand: rand.New(rand.NewPCG(seed, 1))} }

func (s *source) tokens(n int) []token.ID {
	ids := make([]token.ID, n)
	for i := range ids {
		ids[i], s.ids = s.ids, s.ids+1
	}
	return ids
}

// weights returns n weights, a third of them zero, or nil.
func (s *source) weights(n int) []float32 {
	if s.IntN(4) == 0 {
		return nil
	}
	w := make([]float32, n)
	for i := range w {
		if s.IntN(3) > 0 {
			w[i] = float32(1+s.IntN(7)) / 8
		}
	}
	return w
}

// run returns a run of at most most tokens, perhaps none. The value head reads all sequences of
// a batch or none.
func (s *source) run(most int, value bool) pack.Run {
	n := s.IntN(most + 1)
	r := pack.Run{IDs: s.tokens(n), Weight: s.weights(n), Reference: s.Float64()}
	if value {
		r.Value = true
	} else {
		r.SeqWeight = s.weights(n)
	}
	return r
}

// example returns a prompt of at least one token with up to three responses. With value, the
// value head reads the last token of each response, or of a prompt without responses.
func (s *source) example(value bool) pack.Example {
	s.rows++
	e := pack.Example{Row: fmt.Sprint("row ", s.rows), Norm: float64(s.IntN(5))}
	n := 1 + s.IntN(6)
	e.Prompt = pack.Run{IDs: s.tokens(n), Weight: s.weights(n)}
	for range s.IntN(4) {
		e.Responses = append(e.Responses, s.run(5, value))
	}
	if len(e.Responses) == 0 {
		e.Prompt.Value, e.Prompt.Reference = value, s.Float64()
	}
	if n := e.Sequences(); n > 1 {
		e.Pairs = append(e.Pairs, token.Pair{Chosen: int32(s.IntN(n)), Rejected: int32(s.IntN(n)), Weight: s.Float32()})
	}
	return e
}

func (s *source) examples(n int, value bool) []pack.Example {
	list := make([]pack.Example, n)
	for i := range list {
		list[i] = s.example(value)
	}
	return list
}

// visible returns the rows that a row attends to, itself included, in the order of their
// positions: all rows of the ancestors, then its segment up to it.
func visible(b *token.Batch, row int32) []int32 {
	own := slices.IndexFunc(b.Segments, func(s token.Segment) bool { return s.Start <= row && row < s.End })
	var rows []int32
	for seg, end := int32(own), row+1; seg >= 0; {
		s := b.Segments[seg]
		for r := end - 1; r >= s.Start; r-- {
			rows = append(rows, r)
		}
		if seg = s.Parent; seg >= 0 {
			end = b.Segments[seg].End
		}
	}
	slices.Reverse(rows)
	return rows
}

// text returns the tokens that a row attends to, itself included.
func text(b *token.Batch, row int32) []token.ID {
	var ids []token.ID
	for _, r := range visible(b, row) {
		ids = append(ids, b.IDs[r])
	}
	return ids
}

func golden(t *testing.T, name string, v any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// whole returns an example of one document with all of its tokens in the batch, also the last,
// which is the input of no prediction.
func whole(ids []token.ID) pack.Example {
	e := pack.Text("row", ids)
	e.Prompt.Value = true
	return e
}
