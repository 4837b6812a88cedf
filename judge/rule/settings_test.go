package rule

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		settings Settings
		want     string
	}{
		{Settings{}, "check: kind is not set: one of command, exact, numeric, regex, schema"},
		{Settings{Kind: "exakt"}, `check: kind is "exakt", expected one of`},
		{Settings{Kind: Regex}, "check: pattern is not set"},
		{Settings{Kind: Regex, Pattern: "("}, `check: pattern "(": error parsing regexp`},
		{Settings{Kind: Schema}, "check: schema is not set"},
		{Settings{Kind: Command}, "check: command is not set"},
		{Settings{Kind: Command, Command: []string{""}}, "check: command is not set"},
		{Settings{Kind: Numeric, Tolerance: -1}, "check: tolerance is -1"},
		{Settings{Kind: Numeric, Tolerance: math.NaN()}, "check: tolerance is NaN"},
		{Settings{Kind: Numeric, Tolerance: math.Inf(1)}, "check: tolerance is +Inf"},
		{Settings{Kind: Command, Command: []string{"x"}, Timeout: -1}, "check: timeout is -1"},
		{Settings{Kind: Exact, Tolerance: 1}, "check: tolerance is set, but it belongs to kind numeric, not to exact"},
		{Settings{Kind: Numeric, IgnoreCase: true}, "check: ignore_case is set, but it belongs to kind exact, regex, not to numeric"},
		{Settings{Kind: Schema, Schema: "{}", Answer: "x"}, "check: answer is set"},
	} {
		if _, err := New(c.settings); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want %q", c.settings, err, c.want)
		}
	}
}

func TestSettingsFiles(t *testing.T) {
	for _, c := range []struct {
		settings Settings
		want     []string
	}{
		{Settings{Kind: Schema, Schema: "person.json"}, []string{"person.json"}},
		{Settings{Kind: Schema, Schema: ` {"type": "object"}`}, nil},
		{Settings{Kind: Exact}, nil},
	} {
		if got := c.settings.Files(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.settings, got, c.want)
		}
	}
	// What is not set is not part of a digest.
	if text, err := json.Marshal(Settings{Kind: Exact}); err != nil || string(text) != `{"kind":"exact"}` {
		t.Errorf("%s, %v", text, err)
	}
	if s := (Settings{Command: []string{}, Env: []string{}}); !s.IsZero() {
		t.Error("empty lists count as set")
	}
	if s := (Settings{Whole: true}); s.IsZero() || !(Settings{}).IsZero() {
		t.Error("IsZero is wrong")
	}
}
