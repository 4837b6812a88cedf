package engine

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/sample"
	"github.com/herd-lm/herd/core/sample/constrain"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/internal/testmodel"
)

const person = `{"type":"object","properties":{"name":{"type":"string","maxLength":12},"age":{"type":"integer","minimum":0,"maximum":150}},"required":["name","age"]}`

// TestConstraint: a random model at any temperature says only what the constraint allows, and every
// answer that ends is whole. Alone or beside others, an answer is the same.
func TestConstraint(t *testing.T) {
	tok := testmodel.Tokenizer(t, 280, "the herd has a name and an age of 3")
	p := testmodel.Random(t, testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, Positions: 200, InitRange: 0.4}.Config(), 11)
	e := New(testmodel.Pack(t, p), tok, Options{Slots: 8})
	g, err := constrain.Schema([]byte(person))
	if err != nil {
		t.Fatal(err)
	}
	constraint := g.Over(constrain.NewVocabulary(tok))
	var requests []sample.Request
	for i, s := range []sample.Settings{{Temperature: 1}, {Temperature: 3}, {}, {Temperature: 1, TopK: 3}, {Temperature: 1, TopP: 0.5, Repetition: 1.2}} {
		s.MaxTokens = 120
		r := sample.Request{Prompt: tok.Prompt("the herd"), Stop: []token.ID{tok.EOS()}, Constraint: constraint, Settings: s, Detail: i == 1, Top: 2 * (i % 2)}
		for k := range 20 {
			r.Seeds = append(r.Seeds, uint64(100*i+k))
		}
		requests = append(requests, r)
	}
	whole := 0
	together := generate(t, e, requests)
	for i, list := range together {
		for _, c := range list {
			if c.Finish == sample.Length {
				continue
			}
			whole++
			var v struct {
				Name *string
				Age  *int
			}
			if err := json.Unmarshal([]byte(c.Text), &v); err != nil || v.Name == nil || v.Age == nil || len([]rune(*v.Name)) > 12 || *v.Age < 0 || *v.Age > 150 {
				t.Errorf("request %d: %q: %v", i, c.Text, err)
			}
		}
		alone := generate(t, e, requests[i:i+1])
		if diff := cmp.Diff(list, alone[0]); diff != "" {
			t.Errorf("request %d alone: %s", i, diff)
		}
	}
	if whole < 70 {
		t.Errorf("only %d of 100 answers are whole", whole)
	}
	// The log-probabilities are the model's own, of all tokens.
	free := requests[1]
	free.Constraint, free.Seeds = nil, free.Seeds[:1]
	other := generate(t, e, []sample.Request{free})[0][0].Tokens[0]
	if first := together[1][0].Tokens[0]; first.LogProb >= 0 || !slices.Equal(first.Top, other.Top) {
		t.Errorf("the first token has %+v, without a constraint %+v", first, other)
	}
}

// only allows the tokens of one text and then its end.
type only struct {
	ids []token.ID
	err error
}

func (o only) Begin() sample.ConstraintState { return o }

func (o only) Next(token.ID) sample.ConstraintState { return only{o.ids[1:], o.err} }

func (o only) Allowed() ([]uint64, bool, error) {
	switch {
	case len(o.ids) == 0 && o.err != nil:
		return nil, false, o.err
	case len(o.ids) == 0:
		return nil, true, nil
	}
	words := make([]uint64, 2) // the model has more tokens
	words[o.ids[0]/64] = 1 << (o.ids[0] % 64)
	return words, o.ids[0] == 7, nil
}

// TestForced: an answer ends where no token is allowed, also without a stop token, and may end at a
// stop token only where the constraint says so. Its error ends the request.
func TestForced(t *testing.T) {
	tok := testmodel.Tokenizer(t, 266, "the herd")
	p := testmodel.Random(t, testmodel.Shape{Vocab: tok.VocabSize() + 3, Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, Positions: 64, InitRange: 0.4}.Config(), 11)
	e := New(testmodel.Pack(t, p), tok, Options{Slots: 2})
	r := sample.Request{Prompt: []token.ID{1, 2}, Seeds: []uint64{1, 2}, Constraint: only{ids: []token.ID{65, 66, 67}}, Settings: sample.Settings{MaxTokens: 10, Temperature: 1}}
	var streamed []sample.Delta
	r.Stream = func(k int, d sample.Delta) {
		if k == 0 {
			streamed = append(streamed, d)
		}
	}
	for _, c := range generate(t, e, []sample.Request{r})[0] {
		if !slices.Equal(c.IDs, []token.ID{65, 66, 67}) || c.Finish != sample.Stop || math.IsInf(c.LogProb, 0) || c.LogProb >= 0 {
			t.Errorf("%+v", c)
		}
	}
	if n := len(streamed); n != 3 || streamed[2].Finish != sample.Stop || streamed[2].Text == "" {
		t.Errorf("streamed %+v", streamed)
	}
	r.Stream, r.Stop = nil, []token.ID{5}
	r.Constraint = only{ids: []token.ID{65, 7, 66}} // may end before 7
	ends := map[int]int{}
	for seed := range 40 {
		r.Seeds = []uint64{uint64(seed)}
		c := generate(t, e, []sample.Request{r})[0][0]
		ends[len(c.IDs)]++
		if c.IDs[0] != 65 || c.Finish != sample.Stop {
			t.Errorf("%+v", c)
		}
	}
	if ends[1] == 0 || ends[3] == 0 || ends[1]+ends[3] != 40 {
		t.Errorf("answers of lengths %v", ends)
	}
	bad := errors.New("no way on")
	for _, ids := range [][]token.ID{nil, {65}} {
		r.Constraint = only{ids, bad}
		if err := e.Generate(t.Context(), []sample.Request{r}, func(int, []sample.Completion) error { return nil }); !errors.Is(err, bad) {
			t.Errorf("behind %v: error %v", ids, err)
		}
	}
	if _, err := newEngine(t, newModel(t, 64, nil), 1).Complete(t.Context(), r); err == nil || !strings.Contains(err.Error(), "no tokenizer") {
		t.Errorf("without a tokenizer: error %v", err)
	}
}

// either allows two tokens, for ever.
type either struct{}

func (e either) Begin() sample.ConstraintState { return e }

func (e either) Next(token.ID) sample.ConstraintState { return e }

func (e either) Allowed() ([]uint64, bool, error) { return []uint64{0, 1<<1 | 1<<2}, false, nil }

// TestConstraintWithPenalties: penalties apply among the tokens that are allowed.
func TestConstraintWithPenalties(t *testing.T) {
	tok := testmodel.Tokenizer(t, 266, "the herd")
	p := testmodel.Random(t, testmodel.Shape{Vocab: tok.VocabSize(), Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, Positions: 64, InitRange: 0.4}.Config(), 11)
	r := sample.Request{Prompt: []token.ID{1, 2}, Seeds: []uint64{1}, Constraint: either{}, Settings: sample.Settings{MaxTokens: 6, Frequency: 100}}
	ids := generate(t, New(testmodel.Pack(t, p), tok, Options{}), []sample.Request{r})[0][0].IDs
	counts := map[token.ID]int{}
	for _, id := range ids {
		counts[id]++
	}
	if counts[65] != 3 || counts[66] != 3 {
		t.Errorf("drawn %v, want the two tokens by turns", ids)
	}
}
