package pack_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
			kept, long, err := pack.Limit{MaxTokens: 8, TooLong: c.tooLong}.Apply([]pack.Example{short, c.example, short})
			if err != nil {
				t.Fatal(err)
			}
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
	kept, _, err := pack.Limit{MaxTokens: 8, TooLong: pack.Truncate}.Apply([]pack.Example{original})
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
	kept, long, err := pack.Limit{MaxTokens: 8, TooLong: pack.Truncate}.Apply([]pack.Example{e})
	if len(kept) != 0 || long != 1 || err != nil {
		t.Errorf("kept %v, %d too long, error %v", kept, long, err)
	}
}

func TestLimitRefuses(t *testing.T) {
	_, _, err := pack.Limit{MaxTokens: 8, TooLong: pack.Refuse}.Apply([]pack.Example{row(2), row(9)})
	if err == nil || !strings.Contains(err.Error(), "row r1 has 9 tokens, max_tokens is 8") {
		t.Errorf("error %v", err)
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
