package cpu

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		asked      string
		best, want Level
		message    string // part of it, "" for none
	}{
		{"", AVX512, AVX512, ""},
		{"", Generic, Generic, ""},
		{"generic", AVX512, Generic, ""},
		{"avx2", AVX512, AVX2, ""},
		{"avx512", AVX512, AVX512, ""},
		{"avx512", AVX2, AVX2, "more than this processor has"},
		{"avx2", Generic, Generic, "more than this processor has"},
		{"AVX2", AVX2, AVX2, "not one of generic, avx2, avx512"},
		{"fast", AVX2, AVX2, "not one of generic, avx2, avx512"},
	} {
		got, err := choose(c.asked, c.best)
		if got != c.want {
			t.Errorf("HERD_CPU=%s on %v: %v, want %v", c.asked, c.best, got, c.want)
		}
		if (err == nil) != (c.message == "") || err != nil && !strings.Contains(err.Error(), c.message) {
			t.Errorf("HERD_CPU=%s on %v: error %v, want %q", c.asked, c.best, err, c.message)
		}
	}
}

func TestUse(t *testing.T) {
	if Use() > Best() {
		t.Errorf("uses %v, the processor has %v", Use(), Best())
	}
}
