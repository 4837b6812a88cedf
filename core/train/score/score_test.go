package score

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/model"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/internal/testmodel"
)

const vocab = 40

func newModel(t *testing.T, change func(*model.Config)) *model.Params {
	t.Helper()
	c := testmodel.Shape{Vocab: vocab, Hidden: 16, Intermediate: 24, Layers: 2, Heads: 4, KVHeads: 2, Positions: 64, InitRange: 0.4}.Config()
	if change != nil {
		change(&c)
	}
	p := testmodel.Random(t, c, 5)
	if p.Score != nil { // Init leaves it zero
		for i := range p.Score.W {
			p.Score.W[i] = float32(i%5) - 1.7
		}
	}
	return p
}

func reward(c *model.Config) { *c = c.Reward() }

func randomIDs(rng *rand.Rand, n int) []token.ID {
	ids := make([]token.ID, n)
	for i := range ids {
		ids[i] = token.ID(rng.IntN(vocab))
	}
	return ids
}

// rows returns examples of all shapes: documents, and prompts with up to three responses. ask
// completes each of them.
func rows(n int, ask func(*rand.Rand, *pack.Run)) []pack.Example {
	rng := rand.New(rand.NewPCG(1, 2))
	list := make([]pack.Example, n)
	for i := range list {
		e := pack.Example{Row: fmt.Sprint("row ", i), Prompt: pack.Run{IDs: randomIDs(rng, 2+rng.IntN(12))}}
		for range i % 4 {
			r := pack.Run{IDs: randomIDs(rng, 1+rng.IntN(9))}
			ask(rng, &r)
			e.Responses = append(e.Responses, r)
		}
		if len(e.Responses) == 0 {
			ask(rng, &e.Prompt)
		}
		list[i] = e
	}
	return list
}

// weighted gives every token a weight that is not round, both as a token and as part of a
// sequence.
func weighted(rng *rand.Rand, r *pack.Run) {
	r.Weight = make([]float32, len(r.IDs))
	for i := range r.Weight {
		r.Weight[i] = 0.5 + rng.Float32()
	}
	r.SeqWeight = r.Weight
}

func valued(_ *rand.Rand, r *pack.Run) { r.Value = true }

// micros are batch sizes in tokens: every row alone, several rows, all at once.
var micros = []int{1, 30, 64, 1 << 20}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*math.Max(1, math.Abs(b))
}

// flat returns the numbers of all rows as one list, after it checked their count for each row.
func flat[T float32 | float64](t *testing.T, lists [][]T, examples []pack.Example, want func(pack.Example) int) []float64 {
	t.Helper()
	var all []float64
	for i, list := range lists {
		if len(list) != want(examples[i]) {
			t.Fatalf("row %d has %d numbers, expected %d", i, len(list), want(examples[i]))
		}
		for _, x := range list {
			all = append(all, float64(x))
		}
	}
	return all
}

// differ returns how many numbers of two lists are not close to each other.
func differ(a, b []float64) (n int) {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	for i := range a {
		if !near(a[i], b[i], 2e-5) {
			n++
		}
	}
	return n
}

// TestGrouping: the numbers do not depend on which examples are computed together.
func TestGrouping(t *testing.T) {
	texts, pairs := rows(16, weighted), rows(16, valued)
	policy, judge := newModel(t, nil), newModel(t, reward)
	for name, numbers := range map[string]func(micro int) ([]float64, error){
		"log-probabilities": func(micro int) ([]float64, error) {
			out, err := LogProbs(t.Context(), policy, texts, micro)
			return flat(t, out, texts, pack.Example.Targets), err
		},
		"sequences": func(micro int) ([]float64, error) {
			out, err := Sequences(t.Context(), policy, texts, micro)
			return flat(t, out, texts, pack.Example.Sequences), err
		},
		"rewards": func(micro int) ([]float64, error) {
			out, err := Rewards(t.Context(), judge, pairs, micro)
			return flat(t, out, pairs, pack.Example.Values), err
		},
		"cross-entropy": func(micro int) ([]float64, error) {
			nats, weight, err := CrossEntropy(t.Context(), policy, texts, micro)
			return []float64{nats, weight}, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var alone []float64
			for _, micro := range micros {
				got, err := numbers(micro)
				if err != nil {
					t.Fatal(err)
				}
				if micro == micros[0] {
					alone = got
				}
				if n := differ(got, alone); n > 0 {
					t.Errorf("micro-batches of %d tokens: %d of %d numbers differ from those of rows alone", micro, n, len(got))
				}
			}
			wrong := slices.Clone(alone)
			wrong[len(wrong)/2] *= 1 + 1e-3
			if wrong[0] += 1e-3; differ(wrong, alone) == 0 {
				t.Error("planted: numbers that are off by 0.1% pass")
			}
		})
	}
}

// TestAgree: a sequence's log-probability is the weighted sum over its tokens, and the
// cross-entropy is minus the sum over all.
func TestAgree(t *testing.T) {
	p := newModel(t, nil)
	examples := rows(16, weighted)
	tokens, err := LogProbs(t.Context(), p, examples, 64)
	if err != nil {
		t.Fatal(err)
	}
	sequences, err := Sequences(t.Context(), p, examples, 64)
	if err != nil {
		t.Fatal(err)
	}
	nats, weight, err := CrossEntropy(t.Context(), p, examples, 64)
	if err != nil {
		t.Fatal(err)
	}
	var all, weights float64
	for i, e := range examples {
		runs := e.Responses
		first := 0
		if len(runs) == 0 {
			runs, first = []pack.Run{e.Prompt}, 1 // nothing predicts the first token
		}
		at := 0
		for k, r := range runs {
			var sum float64
			for _, w := range r.Weight[first:] {
				sum += float64(w) * float64(tokens[i][at])
				weights += float64(w)
				at++
			}
			if !near(sequences[i][k], sum, 2e-5) {
				t.Errorf("row %d, sequence %d: %v, the tokens say %v", i, k, sequences[i][k], sum)
			}
			all += sum
		}
	}
	if !near(nats, -all, 2e-5) || !near(weight, weights, 1e-6) {
		t.Errorf("cross-entropy %v over %v, the tokens say %v over %v", nats, weight, -all, weights)
	}
}

// TestOrder: results come in the order of the examples.
func TestOrder(t *testing.T) {
	p := newModel(t, nil)
	examples := rows(16, weighted)
	want, err := Sequences(t.Context(), p, examples, 40)
	if err != nil {
		t.Fatal(err)
	}
	order := rand.New(rand.NewPCG(3, 3)).Perm(len(examples))
	shuffled := make([]pack.Example, len(order))
	for k, i := range order {
		shuffled[k] = examples[i]
	}
	got, err := Sequences(t.Context(), p, shuffled, 40)
	if err != nil {
		t.Fatal(err)
	}
	for k, i := range order {
		if n := differ(got[k], want[i]); n > 0 {
			t.Errorf("row %d, now %d: %v, before %v", i, k, got[k], want[i])
		}
	}
}

func TestGroup(t *testing.T) {
	var examples []pack.Example
	for _, n := range []int{3, 4, 3, 20, 1, 9, 10} { // tokens without the last, which is no input
		examples = append(examples, pack.Text("row", make([]token.ID, n+1)))
	}
	want := [][]int{{0, 1, 2}, {3}, {4, 5}, {6}}
	got := group(examples, 10)
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("groups %v, want %v", got, want)
	}
}

func TestNothing(t *testing.T) {
	policy, judge := newModel(t, nil), newModel(t, reward)
	if out, err := LogProbs(t.Context(), policy, nil, 64); len(out) != 0 || err != nil {
		t.Errorf("log-probabilities %v, error %v", out, err)
	}
	if out, err := Rewards(t.Context(), judge, nil, 64); len(out) != 0 || err != nil {
		t.Errorf("rewards %v, error %v", out, err)
	}
	if nats, weight, err := CrossEntropy(t.Context(), policy, nil, 64); nats != 0 || weight != 0 || err != nil {
		t.Errorf("cross-entropy %v over %v, error %v", nats, weight, err)
	}
}

func TestErrors(t *testing.T) {
	policy, judge := newModel(t, nil), newModel(t, reward)
	texts := rows(4, weighted)
	long := []pack.Example{texts[1], pack.Text("long", make([]token.ID, 66))}
	foreign := []pack.Example{pack.Text("foreign", []token.ID{1, vocab})}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"rewards of a policy", second(Rewards(t.Context(), policy, rows(4, valued), 64)), "has no value head"},
		{"log-probabilities of a reward model", second(LogProbs(t.Context(), judge, texts, 64)), "has no language-model head"},
		{"sequences of a reward model", second(Sequences(t.Context(), judge, texts, 64)), "has no language-model head"},
		{"a row longer than the model's positions", second(LogProbs(t.Context(), policy, long, 1)), "rows [long]: token 64 is at position 64"},
		{"a token outside the vocabulary", second(LogProbs(t.Context(), policy, foreign, 64)), "rows [foreign]"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || !strings.HasPrefix(c.err.Error(), "score: ") {
			t.Errorf("%s: error %v, want %q", c.name, c.err, c.want)
		}
	}
	if _, err := LogProbs(cancelled, policy, texts, 64); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
