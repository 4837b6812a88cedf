package config

import "testing"

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"dop", "dpo", 1}, {"stf", "sft", 1},
		{"kitten", "sitting", 3}, {"abcd", "badc", 2}, {"ca", "abc", 3}, {"learning_rat", "learning_rate", 1},
	} {
		if got := editDistance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"beta", "model", "dpo", "steps"}
	for unknown, want := range map[string]string{"dop": `, did you mean "dpo"?`, "betta": `, did you mean "beta"?`, "x": "", "zzzzzz": "", "": ""} {
		if got := Suggest(unknown, known); got != want {
			t.Errorf("%q: %q, want %q", unknown, got, want)
		}
	}
}
