package pack_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/core/train/pack"
)

// row returns a document of n tokens with weights, or, with responses, a prompt of n tokens and
// responses of the given lengths.
func row(n int, responses ...int) pack.Example {
	s := newSource(0)
	if len(responses) == 0 {
		return pack.Text("r1", s.tokens(n))
	}
	e := pack.Example{Row: "r1", Norm: 1, Prompt: pack.Run{IDs: s.tokens(n)}}
	for _, m := range responses {
		e.Responses = append(e.Responses, pack.Run{IDs: s.tokens(m), SeqWeight: make([]float32, m), Weight: make([]float32, m)})
		for i := range m {
			e.Responses[len(e.Responses)-1].SeqWeight[i] = float32(1 + i)
		}
	}
	return e
}

// lengths returns the length of the prompt and of each response.
func lengths(e pack.Example) []int {
	list := []int{len(e.Prompt.IDs)}
	for _, r := range e.Responses {
		list = append(list, len(r.IDs))
	}
	return list
}

// TestPositions: a token that is only a target takes no position.
func TestPositions(t *testing.T) {
	valued := row(5)
	valued.Prompt.Value = true
	for want, e := range map[int]pack.Example{7: row(8), 5: valued, 10: row(6, 3, 5, 1)} {
		if got := e.Positions(); got != want {
			t.Errorf("%v: %d positions, want %d", lengths(e), got, want)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		name    string
		example pack.Example
		tooLong string
		want    []int // lengths; nil: left out
		long    int
		norm    float64
	}{
		{"as long as may be", row(8), pack.Refuse, []int{8}, 0, 7},
		{"skipped", row(9), pack.Skip, nil, 1, 0},
		{"cut", row(12), pack.Truncate, []int{8}, 1, 7},
		{"a response as long as may be", row(3, 5, 1), pack.Skip, []int{3, 5, 1}, 0, 1},
		{"one response too long", row(3, 6, 1), pack.Skip, nil, 1, 0},
		{"responses cut", row(3, 9, 1, 5), pack.Truncate, []int{3, 5, 1, 5}, 1, 1},
		{"room for one token", row(7, 9, 9), pack.Truncate, []int{7, 1, 1}, 1, 1},
		{"no room for a response", row(8, 9, 9), pack.Truncate, nil, 1, 0},
		{"prompt alone too long", row(20, 1), pack.Truncate, nil, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			short := row(2)
			limit := pack.Limit{MaxTokens: 8, TooLong: c.tooLong}
			var kept []pack.Example
			var count pack.Count
			for _, e := range []pack.Example{short, c.example, short} {
				more, err := limit.Apply([]pack.Example{e}, &count)
				if err != nil {
					t.Fatal(err)
				}
				kept = append(kept, more...)
			}
			if count.Rows != 3 || count.Used != len(kept) {
				t.Errorf("counted %+v, kept %d", count, len(kept))
			}
			long := count.Cut + count.Long
			want := [][]int{{2}, {2}}
			if c.want != nil {
				want = [][]int{{2}, c.want, {2}}
				if kept[1].Norm != c.norm {
					t.Errorf("norm %g, want %g", kept[1].Norm, c.norm)
				}
			}
			var got [][]int
			for _, e := range kept {
				got = append(got, lengths(e))
			}
			if diff := cmp.Diff(want, got); diff != "" || long != c.long {
				t.Errorf("%d too long, want %d; lengths (-want +got):\n%s", long, c.long, diff)
			}
		})
	}
}

// TestLimitPrefix: a cut example keeps its beginning with the weights, and the caller's example
// does not change.
func TestLimitPrefix(t *testing.T) {
	original := row(3, 9, 2)
	kept, err := pack.Limit{MaxTokens: 8, TooLong: pack.Truncate}.Apply([]pack.Example{original}, new(pack.Count))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(row(3, 9, 2), original); diff != "" {
		t.Errorf("the caller's example changed:\n%s", diff)
	}
	long := original.Responses[0]
	want := pack.Run{IDs: long.IDs[:5], SeqWeight: long.SeqWeight[:5], Weight: long.Weight[:5]}
	if diff := cmp.Diff(want, kept[0].Responses[0]); diff != "" {
		t.Errorf("cut response (-want +got):\n%s", diff)
	}
}

// TestLimitNothingLeft: Apply leaves out a chat that is cut before the assistant's first word.
func TestLimitNothingLeft(t *testing.T) {
	e := row(12)
	clear(e.Prompt.Weight[:9])
	var count pack.Count
	kept, err := pack.Limit{MaxTokens: 8, TooLong: pack.Truncate}.Apply([]pack.Example{e}, &count)
	if len(kept) != 0 || count.Long != 1 || count.Used != 0 || err != nil {
		t.Errorf("kept %v, counted %+v, error %v", kept, count, err)
	}
}

func TestLimitRefuses(t *testing.T) {
	_, err := pack.Limit{MaxTokens: 8, TooLong: pack.Refuse}.Apply([]pack.Example{row(2), row(9)}, new(pack.Count))
	if err == nil || !strings.Contains(err.Error(), "row r1 has 9 tokens, max_tokens is 8") {
		t.Errorf("error %v", err)
	}
}

// TestCutMean: the weights of a response's likelihood are a mean over its tokens. Over a response
// that is cut they are the mean over the tokens that are left, and the row counts 1 as before.
func TestCutMean(t *testing.T) {
	e := row(3, 10, 4)
	for _, r := range e.Responses {
		for i := range r.Weight {
			r.Weight[i] = 1 / float32(len(r.Weight))
		}
	}
	kept, err := pack.Limit{MaxTokens: 8, TooLong: pack.Truncate}.Apply([]pack.Example{e}, new(pack.Count))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{1. / 5, 1. / 4} {
		for _, w := range kept[0].Responses[i].Weight {
			if math.Abs(float64(w-want)) > 1e-7 {
				t.Errorf("response %d: weight %g, want %g", i, w, want)
			}
		}
	}
	if e.Responses[0].Weight[0] != 0.1 {
		t.Error("the caller's weights changed")
	}
}

// TestNoContrast: a pair of equal responses is left out and counted, also if only the cut makes
// them equal. The other pairs of the row take over its weight.
func TestNoContrast(t *testing.T) {
	pair := func(better, worse int32, w float32) token.Pair {
		return token.Pair{Chosen: better, Rejected: worse, Weight: w}
	}
	apply := func(e pack.Example, most int) ([]pack.Example, pack.Count) {
		var count pack.Count
		kept, err := pack.Limit{MaxTokens: most, TooLong: pack.Truncate}.Apply([]pack.Example{e}, &count)
		if err != nil {
			t.Fatal(err)
		}
		return kept, count
	}
	two := row(3, 6, 6)
	two.Responses[1].IDs = append(slices.Clone(two.Responses[0].IDs[:5]), 99)
	two.Pairs = []token.Pair{pair(0, 1, 1)}
	if kept, count := apply(two, 9); len(kept) != 1 || count.Alike != 0 || count.Cut != 0 {
		t.Errorf("responses that differ at the end: kept %d, counted %+v", len(kept), count)
	}
	if kept, count := apply(two, 8); len(kept) != 0 || count.Alike != 1 || count.Used != 0 || count.Lost() != 1 {
		t.Errorf("responses that are equal after the cut: kept %d, counted %+v", len(kept), count)
	}
	three := row(3, 5, 5, 5)
	three.Responses[1].IDs = three.Responses[0].IDs
	three.Pairs = []token.Pair{pair(0, 1, 0.25), pair(0, 2, 0.5), pair(1, 2, 0.25)}
	kept, count := apply(three, 20)
	want := []token.Pair{pair(0, 2, 0.5/0.75), pair(1, 2, 0.25/0.75)}
	if diff := cmp.Diff(want, kept[0].Pairs); diff != "" || count.Used != 1 {
		t.Errorf("counted %+v, pairs (-want +got):\n%s", count, diff)
	}
	if three.Pairs[0].Weight != 0.25 || len(three.Pairs) != 3 {
		t.Error("the caller's pairs changed")
	}
}

func TestCountString(t *testing.T) {
	count := pack.Count{}
	limit := pack.Limit{MaxTokens: 4, TooLong: pack.Skip}
	unlearnt := row(3)
	clear(unlearnt.Prompt.Weight)
	unlearnt.Norm = 0
	for _, e := range [][]pack.Example{{row(3)}, {row(9)}, {row(9)}, {unlearnt}, {}} {
		if _, err := limit.Apply(e, &count); err != nil {
			t.Fatal(err)
		}
	}
	const want = "5 rows: 1 used, 2 longer than 4 tokens skipped, 1 with nothing to learn skipped, 1 left out by a setting"
	if count.String() != want || !count.Notable() || !count.Heavy() || count.Lost() != 3 {
		t.Errorf("%v, want %s", count, want)
	}
}

// TestNothing: the error of a stage without rows says what became of them.
// TestPartly: a row counts as used without what the template left out, once, and only if it is used.
func TestPartly(t *testing.T) {
	partly := func(n int) pack.Example {
		e := row(n)
		e.Partly = true
		return e
	}
	limit := pack.Limit{MaxTokens: 4, TooLong: pack.Skip}
	var count pack.Count
	for _, examples := range [][]pack.Example{{partly(3), partly(3)}, {partly(2), row(3)}, {partly(9)}, {row(3)}} {
		if _, err := limit.Apply(examples, &count); err != nil {
			t.Fatal(err)
		}
	}
	const want = "4 rows: 3 used, 2 of them without what the template leaves out, 1 longer than 4 tokens skipped"
	if count.Partly != 2 || count.String() != want || !(pack.Count{Rows: 1, Used: 1, Partly: 1}).Notable() {
		t.Errorf("%+v, %s, want %s", count, count, want)
	}
}

func TestNothing(t *testing.T) {
	unlearnt := row(3)
	clear(unlearnt.Prompt.Weight)
	unlearnt.Norm = 0
	skip, cut := pack.Limit{MaxTokens: 4, TooLong: pack.Skip}, pack.Limit{MaxTokens: 4, TooLong: pack.Truncate}
	prompted := pack.Example{Prompt: pack.Run{IDs: make([]token.ID, 9)}, Responses: []pack.Run{{IDs: make([]token.ID, 2), Weight: []float32{1, 1}}}, Norm: 2}
	for _, c := range []struct {
		limit pack.Limit
		rows  [][]pack.Example
		want  string
	}{
		{skip, [][]pack.Example{{row(9)}, {row(8)}}, "all 2 rows are longer than max_tokens 4: raise it, or set too_long to truncate"},
		{cut, [][]pack.Example{{prompted}}, "the prompts of all 1 rows leave no room for a token to learn within max_tokens 4: raise it"},
		{skip, [][]pack.Example{{unlearnt}}, "none of 1 rows has a token to learn"},
		{skip, [][]pack.Example{{}, {}}, "a setting leaves out all 2 rows"},
		{skip, nil, "there are no rows"},
		{skip, [][]pack.Example{{row(9)}, {}}, "there is nothing to learn from 2 rows: 0 used, 1 longer than 4 tokens skipped, 1 left out by a setting"},
	} {
		var count pack.Count
		for _, e := range c.rows {
			if _, err := c.limit.Apply(e, &count); err != nil {
				t.Fatal(err)
			}
		}
		if err := count.Nothing(); err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// TestHeavyCut: a run that cuts more than a tenth of its rows warns.
func TestHeavyCut(t *testing.T) {
	for n, want := range map[int]bool{1: false, 2: true} {
		var count pack.Count
		for i := range 10 {
			length := 3
			if i < n {
				length = 9
			}
			if _, err := (pack.Limit{MaxTokens: 4, TooLong: pack.Truncate}).Apply([]pack.Example{row(length)}, &count); err != nil {
				t.Fatal(err)
			}
		}
		if count.Cut != n || count.Heavy() != want {
			t.Errorf("%v: heavy is %v", count, count.Heavy())
		}
	}
}

func TestLimitValidate(t *testing.T) {
	for _, c := range []struct {
		limit pack.Limit
		want  string
	}{
		{pack.Limit{MaxTokens: 2, TooLong: pack.Skip}, ""},
		{pack.Limit{MaxTokens: 1, TooLong: pack.Skip}, "max_tokens is 1"},
		{pack.Limit{MaxTokens: 9, TooLong: "drop"}, `too_long is "drop"`},
		{pack.Limit{MaxTokens: 9}, `too_long is ""`},
	} {
		err := c.limit.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.limit, err, c.want)
		}
	}
}
