package rejection

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/token"
	"github.com/herd-lm/herd/data/table"
)

// drawn returns a row of candidates, each written as "finish score text", with + or -
// before the finish if a checker found it correct or wrong.
func drawn(t *testing.T, list ...string) table.Sample {
	t.Helper()
	row := table.Sample{Prompt: []chat.Message{{Role: "user", Content: "?"}}}
	for k, line := range list {
		c, score := table.Candidate{K: k}, 0.0
		if _, err := fmt.Sscan(line, &c.Finish, &score, &c.Text); err != nil {
			t.Fatal(err)
		}
		c.Score, c.IDs = &score, make([]token.ID, len(c.Text))
		if sign := c.Finish[0]; sign == '+' || sign == '-' {
			correct := sign == '+'
			c.Correct, c.Finish = &correct, c.Finish[1:]
		}
		row.Candidates = append(row.Candidates, c)
	}
	return row
}

func TestBestAndWorst(t *testing.T) {
	row := drawn(t, "length 9 cut", "stop 1 fair", "stop 2 good", "stop 2 too", "stop -3 bad")
	if b, w := Best(row.Candidates), Worst(row.Candidates); b != 2 || w != 4 {
		t.Errorf("best %d and worst %d, want 2 and 4", b, w)
	}
}

func TestChoose(t *testing.T) {
	plain := drawn(t, "length 9 cut", "stop 1 fair", "stop 2 good", "stop 2 too", "stop 5 verylong", "stop 1.5 good", "stop -3 bad")
	checked := drawn(t, "-stop 3 wrong", "+stop 2 b", "+length 9 cut", "+stop 4 a", "+stop 1 b")
	for _, c := range []struct {
		pick Pick
		row  table.Sample
		want []int
	}{
		{Pick{Rule: PickBest}, plain, []int{4}},
		{Pick{Rule: PickBest, CutOff: true}, plain, []int{0}},
		{Pick{Rule: PickBest, MaxTokens: 4}, plain, []int{2}},
		{Pick{Rule: PickBest, MinTokens: 5}, plain, []int{4}},
		{Pick{Rule: PickBest, MinTokens: 50}, plain, nil},
		{Pick{Rule: PickFraction, Fraction: 1}, plain, []int{4, 2, 3, 1, 6}}, // "good" once
		{Pick{Rule: PickFraction, Fraction: 0.4}, plain, []int{4, 2}},
		{Pick{Rule: PickFraction, Fraction: 0.6}, plain, []int{4, 2, 3}},
		{Pick{Rule: PickFraction, Fraction: 0.01}, plain, []int{4}},
		{Pick{Rule: PickThreshold, Threshold: 2}, plain, []int{4, 2, 3}},
		{Pick{Rule: PickThreshold, Threshold: 6}, plain, nil},
		{Pick{Rule: PickBest}, checked, []int{3}},
		{Pick{Rule: PickCorrect}, checked, []int{3, 1}},
		{Pick{Rule: PickThreshold, Threshold: 2.5}, checked, []int{3, 0}},
		{Pick{Rule: PickBest}, drawn(t, "-stop 3 wrong"), nil},
		{Pick{Rule: PickBest}, drawn(t, "length 3 cut"), nil},
	} {
		if got := c.pick.choose(c.row.Candidates); !slices.Equal(got, c.want) {
			t.Errorf("%+v: chose %v, want %v", c.pick, got, c.want)
		}
	}
	chats := Pick{Rule: PickCorrect}.chats(checked)
	if len(chats) != 2 || chats[1].Messages[1].Content != "b" || chats[1].Messages[0].Content != "?" {
		t.Errorf("chats %+v", chats)
	}
}

func TestPreference(t *testing.T) {
	for _, c := range []struct {
		name string
		row  table.Sample
		gap  float64
		want string // chosen and rejected
	}{
		{"no gap asked for", drawn(t, "stop 2 good", "stop -3 bad"), 0, "good bad"},
		{"just the gap", drawn(t, "stop 2 good", "stop -3 bad"), 5, "good bad"},
		{"less than the gap", drawn(t, "stop 2 good", "stop -3 bad"), 5.1, ""},
		{"cut off is not chosen", drawn(t, "length 9 cut", "stop 2 good", "stop -3 bad"), 0, "good bad"},
		{"cut off may be rejected", drawn(t, "length -9 cut", "stop 2 good", "stop -3 bad"), 0, "good cut"},
		{"all cut off", drawn(t, "length 1 a", "length 2 b"), 0, ""},
		{"equal texts", drawn(t, "stop 1 a", "stop 2 a"), 0, ""},
		{"equal scores", drawn(t, "stop 1 a", "stop 1 b"), 0, ""},
		{"correct against wrong", drawn(t, "+stop 1.4 a", "-stop -0.4 b", "+stop 0.6 c"), 0, "a b"},
		{"all correct", drawn(t, "+stop 1.4 a", "+stop 0.6 c"), 0, ""},
		{"all wrong", drawn(t, "-stop 0.4 a", "-stop 0.1 c"), 0, ""},
	} {
		got := ""
		if p, ok := (Pick{Rule: PickBest}).preference(c.row, c.gap); ok {
			got = p.Chosen[0].Content + " " + p.Rejected[0].Content
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPickRefuses(t *testing.T) {
	for want, p := range map[string]Pick{
		"pick.rule":                                   {Rule: "worst"},
		"pick.fraction is 0":                          {Rule: PickFraction},
		"pick.fraction is 1.5":                        {Rule: PickFraction, Fraction: 1.5},
		"pick.fraction is set":                        {Rule: PickBest, Fraction: 0.5},
		"pick.threshold is set":                       {Rule: PickCorrect, Threshold: 0.5},
		"no rule decides which responses are correct": {Rule: PickCorrect},
		"pick.min_tokens is -1":                       {Rule: PickBest, MinTokens: -1},
		"pick.max_tokens is 3, e":                     {Rule: PickBest, MinTokens: 4, MaxTokens: 3},
	} {
		if err := p.validate(false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", p, err, want)
		}
	}
}
