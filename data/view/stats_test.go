package view

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/internal/testrows"
)

func TestSketchQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for name, draw := range map[string]func() float64{
		"lengths":    func() float64 { return float64(r.IntN(5000)) },
		"normal":     r.NormFloat64,
		"long tail":  func() float64 { return math.Exp(5 * r.NormFloat64()) },
		"log-probs":  func() float64 { return -1000 * r.Float64() },
		"one value":  func() float64 { return -3.25 },
		"few values": func() float64 { return float64(r.IntN(5)) },
	} {
		var s sketch
		xs := make([]float64, 4001)
		for i := range xs {
			xs[i] = draw()
			s.add(xs[i])
		}
		slices.Sort(xs)
		for _, q := range []float64{0, 0.01, 0.5, 0.95, 0.99, 1} {
			exact := xs[max(0, int(math.Ceil(q*float64(len(xs))))-1)]
			got := s.quantile(q)
			if s.integral && math.Abs(exact) < 50 && got != exact {
				t.Errorf("%s: quantile %v is %v, want %v exactly", name, q, got, exact)
			}
			if tolerance := 0.010001 * math.Abs(exact); !s.integral && math.Abs(got-exact) > tolerance+sketchZero ||
				s.integral && math.Abs(got-exact) > tolerance+0.5 {
				t.Errorf("%s: quantile %v is %v, want %v within 1%%", name, q, got, exact)
			}
		}
	}
}

func TestSketchMemory(t *testing.T) {
	var s sketch
	for e := -400; e <= 308; e++ {
		for m := 1.0; m < 10; m += 0.05 {
			s.add(m * math.Pow(10, float64(e)))
			s.add(-m * math.Pow(10, float64(e)))
		}
	}
	if n := len(s.buckets); n > 75_000 { // 2 ln(1e318) / ln(1.01/0.99)
		t.Errorf("%d buckets", n)
	}
}

func TestDistinct(t *testing.T) {
	for _, n := range []int{0, 1, 1000, mostExact, 3 * mostExact} {
		d := newDistinct()
		for i := range n {
			d.add(strconv.Itoa(i))
			d.add(strconv.Itoa(i / 2))
		}
		got, estimated := d.count()
		if estimated != (n > mostExact) {
			t.Errorf("%d strings: estimated is %v", n, estimated)
		}
		// 2.6% is three standard errors of 1.04/sqrt(2^14).
		if got != n && (!estimated || math.Abs(float64(got-n)) > 0.026*float64(n)) {
			t.Errorf("%d distinct strings counted as %d", n, got)
		}
	}
}

func TestStats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.arrow")
	said := func(role, s string) []chat.Message { return []chat.Message{{Role: role, Content: s}} }
	score := func(x float64) *float64 { return &x }
	rows := []table.Preference{
		{Prompt: said("user", "a b"), Chosen: said("assistant", "long answer"), Rejected: said("assistant", "short"), Strength: 4, ChosenScore: score(2), RejectedScore: score(-1)},
		{Prompt: said("user", "a b"), Chosen: said("assistant", "long answer"), Rejected: said("assistant", "short"), Strength: 1},
		{Prompt: said("user", "c"), Chosen: said("assistant", "x"), Rejected: said("assistant", "yy"), Origin: table.Origin{Source: "s", Meta: map[string]string{"class": "maths"}}},
	}
	testrows.Write(t, path, table.Header{Stage: "test"}, rows)
	got, err := Stats(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 3 || got.Distinct != 2 || got.Estimated || got.Header.Stage != "test" {
		t.Errorf("got %+v", got)
	}
	distributions := map[string]Distribution{}
	for _, d := range got.Distributions {
		distributions[d.Name] = d
	}
	for _, want := range []Distribution{
		{"chosen words", 3, 1, 2, 5.0 / 3, 2, 2},
		{"rejected bytes", 3, 2, 5, 4, 5, 5},
		{"prompt turns", 3, 1, 1, 1, 1, 1},
		{"score margin", 1, 3, 3, 3, 3, 3},
	} {
		if diff := cmp.Diff(want, distributions[want.Name]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	counts := map[string]Counts{}
	for _, c := range got.Counts {
		counts[c.Name] = c
	}
	for _, want := range []Counts{
		{"chosen is", []Count{{"longer", 2}, {"shorter", 1}}, 0},
		{"strength", []Count{{"0", 1}, {"1", 1}, {"4", 1}}, 0},
		{"source", []Count{{"", 2}, {"s", 1}}, 0},
		{"meta class", []Count{{"maths", 1}}, 0},
	} {
		if diff := cmp.Diff(want, counts[want.Name]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	var printed strings.Builder
	if err := got.Print(&printed); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"3 preferences, 2 distinct ids, 1 duplicates", "score margin", "meta class\n         1  maths\n"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, printed.String())
		}
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}

// Stats counts any number of values and meta columns in bounded memory.
func TestCountsAreBounded(t *testing.T) {
	ty := tally{values: map[string]*counter{}}
	for i := range 10 * mostValues {
		ty.value("one", strconv.Itoa(i))
		ty.value("column "+strconv.Itoa(i), strings.Repeat("é", 100))
	}
	if n := len(ty.values); n != mostNames {
		t.Errorf("%d columns, want %d", n, mostNames)
	}
	one := ty.values["one"].counts("one")
	if len(one.Values) != mostValues || one.Other != 9*mostValues {
		t.Errorf("%d values and %d others", len(one.Values), one.Other)
	}
	long := ty.values["column 1"].counts("").Values[0].Value
	if len(long) > mostValueText+3 || !utf8.ValidString(long) {
		t.Errorf("a long value is kept as %q", long)
	}
}
