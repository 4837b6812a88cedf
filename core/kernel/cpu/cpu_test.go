package cpu

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	const low, high Level = 1, 2
	names := []string{"generic", "low", "high"}
	for _, c := range []struct {
		asked      string
		best, want Level
		message    string // part of it, "" for none
	}{
		{"", high, high, ""},
		{"", Generic, Generic, ""},
		{"generic", high, Generic, ""},
		{"low", high, low, ""},
		{"high", high, high, ""},
		{"high", low, low, "more than this processor has; using low"},
		{"low", Generic, Generic, "more than this processor has; using generic"},
		{"LOW", low, low, "not one of generic, low, high; using low"},
		{"fast", low, low, "not one of generic, low, high; using low"},
	} {
		got, err := choose(names, c.asked, c.best)
		if got != c.want {
			t.Errorf("HERD_CPU=%s on %s: %d, want %d", c.asked, names[c.best], got, c.want)
		}
		if (err == nil) != (c.message == "") || err != nil && !strings.Contains(err.Error(), c.message) {
			t.Errorf("HERD_CPU=%s on %s: error %v, want %q", c.asked, names[c.best], err, c.message)
		}
	}
}

func TestUse(t *testing.T) {
	if Use() > Best() {
		t.Errorf("uses %v, the processor has %v", Use(), Best())
	}
}
