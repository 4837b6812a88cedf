package eval

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/herd-lm/herd/core/text/chat"
	"github.com/herd-lm/herd/core/train/pack"
	"github.com/herd-lm/herd/core/train/score"
	"github.com/herd-lm/herd/data/example"
	"github.com/herd-lm/herd/data/table"
	"github.com/herd-lm/herd/eval/stat"
)

// TestRewards holds the measures against rewards that are looked up one by one.
func TestRewards(t *testing.T) {
	tok := newTokenizer(t)
	judge := random(t, tok, true, 3)
	list := pairs(20)
	tied := list[0]
	tied.Rejected, tied.Strength = tied.Chosen, 3
	list = append(list, tied)

	reward := func(p table.Preference, response []chat.Message) float64 {
		e, err := example.Rewarded(formatOf(t, tok), p.ID, p.Prompt, response)
		if err != nil {
			t.Fatal(err)
		}
		r, err := score.Rewards(t.Context(), judge, []pack.Example{e}, 100)
		if err != nil {
			t.Fatal(err)
		}
		return r[0][0]
	}
	want := make(map[string][]float64)
	for _, p := range list {
		won := 0.0
		switch a, b := reward(p, p.Chosen), reward(p, p.Rejected); {
		case near(a, b, 1e-6):
			won = 0.5
		case a > b:
			won = 1
		}
		want["reward_accuracy"] = append(want["reward_accuracy"], won)
		if p.Strength > 0 {
			name := fmt.Sprint("reward_accuracy/strength_", p.Strength)
			want[name] = append(want[name], won)
		}
	}
	m, err := Rewards(t.Context(), judge, tok, list)
	if err != nil {
		t.Fatal(err)
	}
	if len(m) != len(want) {
		t.Errorf("measures %v, want those of %v", m, want)
	}
	for name, won := range want {
		if m[name] != stat.Proportion(sum(won), len(won)) {
			t.Errorf("%s is %v, want %v of %d", name, m[name], sum(won), len(won))
		}
	}
	if a := m["reward_accuracy"].Value; a == 0 || a == 1 || !slices.Contains(want["reward_accuracy"], 0.5) {
		t.Errorf("accuracy %v: the pairs do not tell right from wrong", a)
	}
	other, err := Rewards(t.Context(), judge, tok, swapped(list))
	if err != nil || !near(other["reward_accuracy"].Value, 1-m["reward_accuracy"].Value, 1e-12) {
		t.Errorf("accuracy %v, %v with chosen and rejected swapped; error %v", m["reward_accuracy"], other["reward_accuracy"], err)
	}
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func TestPreferences(t *testing.T) {
	tok := newTokenizer(t)
	policy, reference := random(t, tok, false, 1), random(t, tok, false, 2)
	list := pairs(20)

	// lead is how much likelier chosen is than rejected, by chats that are whole
	// rows of their own.
	lead := func(i int) (nats float64) {
		for sign, response := range map[float64][]chat.Message{1: list[i].Chosen, -1: list[i].Rejected} {
			whole, err := example.Chats(formatOf(t, tok), table.Chat{Messages: append(slices.Clone(list[i].Prompt), response...)})
			if err != nil {
				t.Fatal(err)
			}
			p, _, err := score.CrossEntropy(t.Context(), policy, whole, 100)
			if err != nil {
				t.Fatal(err)
			}
			r, _, err := score.CrossEntropy(t.Context(), reference, whole, 100)
			if err != nil {
				t.Fatal(err)
			}
			nats += sign * (r - p)
		}
		return nats
	}
	var leads, won []float64
	for i := range list {
		leads = append(leads, lead(i))
		won = append(won, stat.Win(leads[i]))
	}
	m, err := Preferences(t.Context(), policy, reference, tok, list)
	if err != nil {
		t.Fatal(err)
	}
	if want := stat.Mean(leads); !near(m["preference_margin"].Value, want.Value, 1e-4) || !near(m["preference_margin"].Low, want.Low, 1e-4) {
		t.Errorf("margin %v, want %v", m["preference_margin"], want)
	}
	if want := stat.Proportion(sum(won), len(won)); m["preference_accuracy"] != want {
		t.Errorf("accuracy %v, want %v", m["preference_accuracy"], want)
	}

	other, err := Preferences(t.Context(), reference, policy, tok, list)
	if err != nil || !near(other["preference_margin"].Value, -m["preference_margin"].Value, 1e-4) {
		t.Errorf("the other way round: %v, error %v", other, err)
	}
	same, err := Preferences(t.Context(), policy, policy, tok, list)
	if err != nil || same["preference_margin"].Value != 0 || same["preference_accuracy"].Value != 0.5 {
		t.Errorf("a policy against itself: %v, error %v", same, err)
	}
}

func TestPreferenceErrors(t *testing.T) {
	tok := newTokenizer(t)
	policy, judge := random(t, tok, false, 1), random(t, tok, true, 1)
	long := pairs(1)
	long[0].Prompt = user(strings.Repeat("who? ", 40))
	spoken := pairs(1)
	spoken[0].Chosen = user("not the assistant's")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing fits":        {second(Rewards(t.Context(), judge, tok, long)), "none of 1 preferences fits the model's 64 positions"},
		"nothing at all":      {second(Preferences(t.Context(), policy, policy, tok, nil)), "none of 0 preferences"},
		"a policy for judge":  {second(Rewards(t.Context(), policy, tok, pairs(2))), "no reward model"},
		"a judge for policy":  {second(Preferences(t.Context(), judge, policy, tok, pairs(2))), "is a reward model"},
		"reference is judge":  {second(Preferences(t.Context(), policy, judge, tok, pairs(2))), "reference: "},
		"the user's response": {second(Rewards(t.Context(), judge, tok, spoken)), "row pair 0"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, c.err, c.want)
		}
	}
	some, err := Rewards(t.Context(), judge, tok, append(pairs(3), long...))
	if err != nil || some["reward_accuracy"].N != 3 {
		t.Errorf("one of four too long: %v, error %v", some, err)
	}
}

func second[T any](_ T, err error) error { return err }
