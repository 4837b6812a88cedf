package pack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// texts returns n documents that take 1 to most tokens of a batch.
func texts(n, most int) []pack.Example {
	s := newSource(4)
	list := make([]pack.Example, n)
	for i := range list {
		list[i] = pack.Text(fmt.Sprint("row ", i), s.tokens(2+s.IntN(most)))
	}
	return list
}

func newPlan(t testing.TB, examples []pack.Example, limits pack.Limits, seed uint64) *pack.Plan {
	t.Helper()
	p, err := pack.NewPlan(examples, limits, seed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// rows returns the rows of a step and their number of tokens.
func rows(step []*token.Batch) (names []string, tokens int) {
	for _, b := range step {
		names, tokens = append(names, b.Rows...), tokens+len(b.IDs)
	}
	return names, tokens
}

// epochs returns the steps of each of the first n epochs of a plan.
func epochs(t *testing.T, p *pack.Plan, examples, n int) [][][]*token.Batch {
	t.Helper()
	list := make([][][]*token.Batch, n)
	step := 0
	for e := range list {
		for seen := 0; seen < examples; step++ {
			s := p.Step(step)
			names, _ := rows(s)
			seen += len(names)
			list[e] = append(list[e], s)
		}
	}
	return list
}

func TestPlan(t *testing.T) {
	examples := texts(50, 20)
	var all []string
	for _, e := range examples {
		all = append(all, e.Row)
	}
	slices.Sort(all)
	for _, limits := range []pack.Limits{
		{Rows: 7, Micro: 25},
		{Rows: 1, Micro: 20},
		{Rows: 100, Micro: 1000},
		{Tokens: 60, Micro: 20},
		{Tokens: 5, Micro: 20}, // less than most rows take: a step has one at least
		{Rows: 4, Tokens: 50, Micro: 30},
	} {
		t.Run(fmt.Sprintf("%+v", limits), func(t *testing.T) {
			p := newPlan(t, examples, limits, 1)
			var orders [][]string
			steps0 := 0 // of the epochs so far
			for e, steps := range epochs(t, p, len(examples), 3) {
				half := steps0 + int(float64(len(steps))/2+0.5)
				steps0 += len(steps)
				if p.Steps(float64(e+1)) != steps0 || p.Steps(float64(e)+0.5) != max(1, half) {
					t.Errorf("%d and a half epochs are %d steps, %d are %d, want %d and %d", e, p.Steps(float64(e)+0.5), e+1, p.Steps(float64(e+1)), half, steps0)
				}
				var order []string
				for i, s := range steps {
					names, _ := rows(s)
					order = append(order, names...)
					checkStep(t, s, limits, i == len(steps)-1)
				}
				orders = append(orders, slices.Clone(order))
				slices.Sort(order)
				if diff := cmp.Diff(all, order); diff != "" {
					t.Errorf("epoch %d does not have every row once:\n%s", e, diff)
				}
			}
			if len(epochs(t, p, len(examples), 1)[0]) > 1 && (slices.Equal(orders[0], orders[1]) || slices.Equal(orders[1], orders[2])) {
				t.Error("two epochs have one order")
			}
		})
	}
}

// checkStep checks a step against the limits. If only rows are limited, every step but the last
// of an epoch is full.
func checkStep(t *testing.T, step []*token.Batch, limits pack.Limits, last bool) {
	t.Helper()
	names, tokens := rows(step)
	switch {
	case limits.Rows > 0 && len(names) > limits.Rows:
		t.Errorf("a step of %d rows", len(names))
	case limits.Tokens > 0 && tokens > limits.Tokens && len(names) > 1:
		t.Errorf("a step of %d rows with %d tokens", len(names), tokens)
	case limits.Tokens == 0 && !last && len(names) != limits.Rows:
		t.Errorf("a step of %d rows that is not the last", len(names))
	}
	for i, b := range step {
		if err := b.Validate(vocab, vocab); err != nil {
			t.Error(err)
		}
		if len(b.IDs) > limits.Micro {
			t.Errorf("a micro-batch of %d tokens", len(b.IDs))
		}
		// First fit: the first row of a micro-batch fitted into none of those before it.
		for _, earlier := range step[:i] {
			if head := int(b.Segments[0].End); len(earlier.IDs)+head <= limits.Micro {
				t.Errorf("a row of %d tokens begins a micro-batch, though one of %d tokens had room", head, len(earlier.IDs))
			}
		}
	}
}

// TestPlanResume: step n does not depend on the steps that were asked for before it.
func TestPlanResume(t *testing.T) {
	examples := texts(20, 9)
	limits := pack.Limits{Tokens: 30, Micro: 16}
	straight := newPlan(t, examples, limits, 5)
	var want [][]*token.Batch
	for n := range 40 {
		want = append(want, straight.Step(n))
	}
	s := newSource(6)
	jumping := newPlan(t, examples, limits, 5)
	for range 100 {
		n := s.IntN(len(want))
		for name, p := range map[string]*pack.Plan{"new": newPlan(t, examples, limits, 5), "used": jumping} {
			if diff := cmp.Diff(want[n], p.Step(n)); diff != "" {
				t.Fatalf("step %d of a %s plan (-want +got):\n%s", n, name, diff)
			}
		}
	}
	if other := newPlan(t, examples, limits, 6); cmp.Equal(want[0], other.Step(0)) {
		t.Error("another seed gives the same first step")
	}
}

func TestPlanCapacity(t *testing.T) {
	s := newSource(7)
	p := newPlan(t, s.examples(40, false), pack.Limits{Rows: 6, Micro: 40}, 1)
	var largest token.Size
	most := 0
	for n := range 25 {
		tokens := 0
		for _, b := range p.Step(n) {
			largest = largest.Max(b.Size())
			tokens += len(b.IDs)
		}
		most = max(most, tokens)
		if got := p.StepTokens(n + 1); got != most {
			t.Errorf("the largest of %d steps has %d tokens, want %d", n+1, got, most)
		}
		if got := p.Capacity(n + 1); got != largest {
			t.Errorf("capacity of %d steps is %+v, the largest micro-batches have %+v", n+1, got, largest)
		}
	}
}

func TestNewPlanErrors(t *testing.T) {
	examples := texts(3, 5)
	examples[1] = pack.Text("long", newSource(8).tokens(30))
	for _, c := range []struct {
		examples []pack.Example
		limits   pack.Limits
		want     string
	}{
		{nil, pack.Limits{Rows: 1, Micro: 100}, "no examples"},
		{examples, pack.Limits{Rows: 1}, "a micro-batch one on tokens"},
		{examples, pack.Limits{Micro: 100}, "a step needs a limit on rows or tokens"},
		{examples, pack.Limits{Rows: -1, Tokens: 9, Micro: 100}, "a step needs a limit on rows or tokens"},
		{examples, pack.Limits{Rows: 9, Tokens: -1, Micro: 100}, "a step needs a limit on rows or tokens"},
		{examples, pack.Limits{Rows: 1, Micro: 28}, "row long takes 29 tokens, a micro-batch holds 28"},
	} {
		if _, err := pack.NewPlan(c.examples, c.limits, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.limits, err, c.want)
		}
	}
}

// BenchmarkPlanStep asks for steps one after another, as training does.
func BenchmarkPlanStep(b *testing.B) {
	p := newPlan(b, texts(100_000, 20), pack.Limits{Rows: 32, Micro: 512}, 1)
	p.Step(0)
	n := 0
	for b.Loop() {
		n++
		p.Step(n)
	}
}
